import type { Payload, Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { ReceiptsStore } from '../store/receipts.store.js';
import { AccessService } from './access.service.js';
import { participantsOf } from './views.js';

/** Delivered and read marks. */
@Injectable()
export class ReceiptsService {
  constructor(
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(ReceiptsStore) private readonly store: ReceiptsStore,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {}

  /** Moves the caller's marks forward, and tells everybody when they moved; the caller's other sockets too. */
  async mark(actor: Actor, mark: Payload<'receipt.mark'>): Promise<Result<'receipt.mark'>> {
    const seat = await this.access.require(actor, mark.booking_id, 'mark');
    const { booking, row, scope } = seat;
    const marked = await this.store.mark(booking.no, row.person_no, {
      delivered: mark.delivered_seq ?? 0,
      read: mark.read_seq ?? 0,
    });
    if (!marked) throw new ChatError('not_found');
    const { delivered_seq, read_seq, at, moved } = marked;
    seat.readSeq = Math.max(seat.readSeq, read_seq);
    if (moved) {
      this.fanout.toPeople(
        participantsOf(this.access.bookingNow(seat)),
        'receipt.updated',
        {
          booking_id: booking.id,
          user_id: actor.user_id,
          scope,
          delivered_seq,
          read_seq,
          at: at.toISOString(),
        },
        actor.socketId,
      );
    }
    return { delivered_seq, read_seq };
  }
}
