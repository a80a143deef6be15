import { DEFAULT_CANNED, type CannedCatalogue } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';

interface CannedBody {
  key: string;
  params?: Record<string, number | string> | undefined;
}

/** The catalogue of canned messages: which keys exist, and which parameters each takes. */
@Injectable()
export class CannedMessages {
  readonly catalogue: CannedCatalogue;

  constructor(@Inject(CHAT_OPTIONS) options: ChatOptions) {
    this.catalogue = options.canned ?? DEFAULT_CANNED;
  }

  /** The body in its one spelling (parameters in the catalogue's order); throws `invalid`. */
  checked(body: CannedBody): CannedBody {
    const entry = Object.hasOwn(this.catalogue, body.key) ? this.catalogue[body.key] : undefined;
    if (!entry) throw ChatError.invalid([{ path: 'body.key', message: 'not a key of the catalogue' }]);
    const given = body.params ?? {};
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(entry.params, name));
    const wrong = Object.entries(entry.params).filter(([name, param]) => {
      const value = given[name];
      return !(
        typeof value === 'number' &&
        Number.isInteger(value) &&
        value >= param.min &&
        value <= param.max
      );
    });
    const details = [
      ...unknown.map((name) => ({ path: `body.params.${name}`, message: 'not a parameter of this key' })),
      ...wrong.map(([name, param]) => ({
        path: `body.params.${name}`,
        message: `required: a whole number from ${param.min} to ${param.max}`,
      })),
    ];
    if (details.length > 0) throw ChatError.invalid(details);
    const names = Object.keys(entry.params);
    if (names.length === 0) return { key: body.key };
    return { key: body.key, params: Object.fromEntries(names.map((name) => [name, given[name] ?? 0])) };
  }
}
