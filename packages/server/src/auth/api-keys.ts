import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/** Guards `/v1`: `Authorization: Bearer <API key>`, compared in constant time. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly digests: readonly Buffer[];

  constructor(@Inject(CHAT_OPTIONS) { apiKeys }: ChatOptions) {
    this.digests = apiKeys.map(digest);
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const key = /^bearer[ ]+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
    const given = digest(key ?? '');
    // Every key is compared, so that the time tells nothing.
    const known = this.digests.filter((kept) => timingSafeEqual(kept, given)).length > 0;
    if (key === undefined || !known) {
      throw new ChatError('unauthenticated', {
        message: 'A valid API key is required: Authorization: Bearer <key>.',
      });
    }
    return true;
  }
}
