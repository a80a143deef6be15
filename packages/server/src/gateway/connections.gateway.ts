import { TUTORIAL_JOIN, type Payload } from '@curbline/contract';
import { Inject } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ConnectionsService } from '../chat/connections.service.js';
import { ChatGateway, OnCommand } from './on-command.js';

/** The founding tutorial's names live here: `connection-established` is `booking.join`. */
@ChatGateway()
export class ConnectionsGateway {
  constructor(@Inject(ConnectionsService) private readonly connections: ConnectionsService) {}

  @OnCommand(TUTORIAL_JOIN)
  established(actor: Actor, command: Payload<typeof TUTORIAL_JOIN>) {
    return this.connections.join(actor, command);
  }

  @OnCommand('booking.join')
  join(actor: Actor, command: Payload<'booking.join'>) {
    return this.connections.join(actor, command);
  }
}
