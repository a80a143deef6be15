import type { ConnectionObject, PartyScope, Payload, Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import type { BookingRecord } from '../store/booking-row.js';
import { ConnectionsStore } from '../store/connections.store.js';
import { PeopleStore } from '../store/people.store.js';
import { AccessService } from './access.service.js';
import { Printed } from '../printed.js';
import { BookingCache } from './booking-cache.js';
import { MessagesService } from './messages.service.js';
import { PolicyService } from './policy.service.js';
import { PresenceService } from './presence.service.js';
import { withMessages } from './printed-page.js';
import { connectionView, counterpartOf, otherScope, personOf } from './views.js';

const JOIN_PAGE = 200;
const MAX_ATTEMPTS = 8;

type Joined = Result<'booking.join'> | Printed<Result<'booking.join'>>;

/** The founding tutorial's `connection-established`: a driver and a customer find each other. */
@Injectable()
export class ConnectionsService {
  constructor(
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(ConnectionsStore) private readonly store: ConnectionsStore,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(BookingCache) private readonly cache: BookingCache,
    @Inject(MessagesService) private readonly messages: MessagesService,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(PresenceService) private readonly presence: PresenceService,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {}

  /** Finds or creates the pair's connection, links both, and shows each the other person. */
  async join(actor: Actor, { booking_id, after_seq }: Payload<'booking.join'>): Promise<Joined> {
    if (actor.name !== undefined) {
      await this.access.require(actor, booking_id, 'join');
      await this.people.named(actor, actor.name);
    }
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const joined = await this.tryJoin(actor, booking_id, after_seq);
      if (joined) return joined;
    }
    throw new ChatError('unavailable', {
      cause: new Error('the rights of a booking changed each time somebody joined'),
      retryAfterMs: 100,
    });
  }

  /** Undefined when somebody's rights have changed meanwhile: then who is shown whom is judged again. */
  private async tryJoin(
    actor: Actor,
    bookingId: string,
    after_seq: number | undefined,
  ): Promise<Joined | undefined> {
    const seat = await this.access.require(actor, bookingId, 'join');
    const askedAtMs = performance.now();
    const connected = await this.store.connect(seat.booking, {
      personNo: seat.row.person_no,
      scope: seat.scope,
    });
    // The driver was taken away meanwhile: judged again, the seat says why.
    if (!connected) throw await this.lost(actor, bookingId);
    const { record, connectionId } = connected;
    this.cache.keep(record, askedAtMs);
    const current = await this.access.require(actor, bookingId, 'join');
    const page =
      after_seq === undefined
        ? undefined
        : await this.messages.page(actor, current, { after_seq, limit: JOIN_PAGE });
    // From here on nothing waits: whoever lost the seat hears nothing after having been told so.
    if (this.cache.newest(record).epoch !== record.epoch) return undefined;
    const mine = this.view(record, connectionId, current.scope);
    const theirs = this.view(record, connectionId, otherScope(current.scope));
    if (!mine || !theirs) throw await this.lost(actor, bookingId);
    const other = counterpartOf(record, current.scope);
    this.fanout.toSocket(actor.socketId, 'create-connection', mine);
    if (other) this.fanout.toPeople([other], 'create-connection', theirs);
    return page ? withMessages({ ...mine, has_more: page.has_more }, page.messages) : mine;
  }

  private view(
    record: BookingRecord,
    connectionId: string,
    reader: PartyScope,
  ): ConnectionObject | undefined {
    const otherRole = otherScope(reader);
    const other = personOf(record, otherRole);
    if (!other) return undefined;
    const facts = this.presence.facts({ scope: otherRole, user_id: other.id }, other);
    return connectionView(
      record,
      connectionId,
      reader,
      this.policy.chatFor(reader, record, new Date()),
      facts,
    );
  }

  private async lost(actor: Actor, bookingId: string): Promise<unknown> {
    const seat = await this.access.refreshed(actor, bookingId);
    return this.access.denial(seat, 'join') ?? new ChatError('unavailable', { retryAfterMs: 100 });
  }
}
