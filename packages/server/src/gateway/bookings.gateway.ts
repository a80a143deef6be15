import type { Payload } from '@curbline/contract';
import { Inject } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { MyBookingsService } from '../chat/my-bookings.service.js';
import { ChatGateway, OnCommand } from './on-command.js';

@ChatGateway()
export class BookingsGateway {
  constructor(@Inject(MyBookingsService) private readonly bookings: MyBookingsService) {}

  @OnCommand('booking.list')
  list(actor: Actor, command: Payload<'booking.list'>) {
    return this.bookings.list(actor, command);
  }

  @OnCommand('sync')
  sync(actor: Actor, command: Payload<'sync'>) {
    return this.bookings.sync(actor, command);
  }
}
