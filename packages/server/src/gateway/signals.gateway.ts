import type { Payload } from '@curbline/contract';
import { Inject } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { SignalsService } from '../chat/signals.service.js';
import { ChatGateway, OnCommand } from './on-command.js';

@ChatGateway()
export class SignalsGateway {
  constructor(@Inject(SignalsService) private readonly signals: SignalsService) {}

  @OnCommand('typing.set')
  typing(actor: Actor, command: Payload<'typing.set'>) {
    return this.signals.setTyping(actor, command);
  }

  @OnCommand('location.share')
  location(actor: Actor, command: Payload<'location.share'>) {
    return this.signals.shareLocation(actor, command);
  }
}
