import type { Payload } from '@curbline/contract';
import { Inject } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { SessionsService } from '../auth/sessions.service.js';
import { ChatGateway, OnCommand } from './on-command.js';

@ChatGateway()
export class TokensGateway {
  constructor(@Inject(SessionsService) private readonly sessions: SessionsService) {}

  @OnCommand('token.refresh')
  refresh(actor: Actor, command: Payload<'token.refresh'>) {
    return this.sessions.refresh(actor, command.token);
  }
}
