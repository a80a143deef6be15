import type { RouteBody, RouteResult, Scope } from '@curbline/contract';
import { Body, Controller, Inject, Param } from '@nestjs/common';
import { TokenVerifier } from '../auth/token-verifier.js';
import { RevocationService } from '../chat/revocation.service.js';
import { Input, Route } from './route.js';

const TOKENS = 'POST /v1/tokens';
const SESSIONS = 'DELETE /v1/users/{scope}/{user_id}/sessions';

/** Tokens and sessions of drivers, customers and support. */
@Controller()
export class PeopleController {
  constructor(
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(RevocationService) private readonly revocations: RevocationService,
  ) {}

  @Route(TOKENS)
  async issue(
    @Body(new Input(TOKENS, 'body')) body: RouteBody<typeof TOKENS>,
  ): Promise<RouteResult<typeof TOKENS>> {
    const { token, expiresAt } = await this.tokens.issue(body, body.ttl_s);
    return { token, expires_at: expiresAt.toISOString() };
  }

  @Route(SESSIONS)
  revoke(@Param(new Input(SESSIONS, 'params')) person: { scope: Scope; user_id: string }): Promise<void> {
    return this.revocations.revoke(person);
  }
}
