import { Inject, Injectable } from '@nestjs/common';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';

/**
 * Which pages may connect. CORS alone does not stop a WebSocket from a foreign page, so `Origin` is checked for
 * every transport. Apps and servers send none and are let through: they have no cookies that could be abused.
 */
@Injectable()
export class Origins {
  private readonly any: boolean;
  private readonly allowed: ReadonlySet<string>;

  constructor(@Inject(CHAT_OPTIONS) { origins = [] }: ChatOptions) {
    this.any = origins.includes('*');
    this.allowed = new Set(origins.filter((origin) => origin !== '*').map(asBrowsersWriteIt));
  }

  /** `host` is the request's own: a page of this server may always connect. */
  allows(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.any || this.allowed.has(origin)) return true;
    return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
  }
}

/** Without a slash behind it or a default port. URL calls the origin of an app's own scheme `null`, as of any page without one. */
function asBrowsersWriteIt(text: string): string {
  const { origin, protocol, host } = new URL(text);
  return origin === 'null' ? `${protocol}//${host}` : origin;
}
