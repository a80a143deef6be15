import type { ChatState } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { personKey, type Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import type { BookingRecord } from '../store/booking-row.js';
import { SeatsStore } from '../store/seats.store.js';
import { BookingCache, type CachedBooking } from './booking-cache.js';
import { PolicyService } from './policy.service.js';
import type { Seat } from './seat.js';

/** What somebody wants to do in a booking. */
export type Action = 'join' | 'read' | 'mark' | 'send' | 'signal';

/** The one table of rights: an action is allowed in these states of the chat, and in no other. */
const ALLOWED: Readonly<Record<Action, readonly ChatState[]>> = {
  join: ['open', 'read_only'],
  read: ['open', 'read_only'],
  mark: ['open', 'read_only'],
  send: ['open'],
  /** Typing and live location: nothing of them is kept in the log. */
  signal: ['open'],
};

/** May they? Asked by every service before anything else; denies by default. */
@Injectable()
export class AccessService {
  private readonly lookups = new Map<string, Promise<Seat>>();

  constructor(
    @Inject(BookingCache) private readonly cache: BookingCache,
    @Inject(SeatsStore) private readonly seats: SeatsStore,
    @Inject(PolicyService) private readonly policy: PolicyService,
  ) {}

  /** The seat, when the caller has one and may do this now. Throws `not_found`, `forbidden` or `chat_closed`. */
  async require(actor: Actor, bookingId: string, action: Action): Promise<Seat> {
    const seat = await this.seat(actor, bookingId);
    const denial = this.denial(seat, action);
    if (denial) throw denial;
    return seat;
  }

  /**
   * The caller's seat, whatever the chat's state. A booking that does not exist and one without a seat for the
   * caller take the same query and get the same answer.
   */
  async seat(actor: Actor, bookingId: string): Promise<Seat> {
    if (actor.scope === 'support') throw new ChatError('forbidden');
    const known = seatIn(this.cache.peek(bookingId), actor);
    if (known && this.lookups.size === 0) return known;
    // What one person asks of one booking stays in order: later questions join a look-up that is under way.
    const key = `${personKey(actor)}\n${bookingId}`;
    if (known && !this.lookups.has(key)) return known;
    const lookup =
      this.lookups.get(key) ?? this.lookUp(actor, bookingId).finally(() => this.lookups.delete(key));
    this.lookups.set(key, lookup);
    return await lookup;
  }

  /**
   * The seat to send with, however old: the append refuses it when rights have changed since. Undefined where memory has none that may: only a
   * refusal has to be fresh, for that one the log does not see.
   */
  heldSender(actor: Actor, bookingId: string): Seat | undefined {
    const held = this.lookups.size === 0 ? this.held(actor, bookingId) : undefined;
    return held && !this.denial(held, 'send') ? held : undefined;
  }

  /**
   * The seat that memory has. Most sockets send to one booking: what they sent from last is found without the two maps, which of two thousand
   * bookings are as many waits for memory.
   */
  private held(actor: Actor, bookingId: string): Seat | undefined {
    const last = actor.lastSeat as Seat | undefined;
    if (last && !last.isReplaced && last.bookingId === bookingId) return last;
    const seat = seatIn(this.cache.held(bookingId), actor);
    actor.lastSeat = seat;
    return seat;
  }

  /** The seat as the store has it now: for a caller whose right was judged by an outdated booking. */
  async refreshed(actor: Actor, bookingId: string): Promise<Seat> {
    const seat = seatIn(await this.cache.reload(bookingId), actor);
    if (!seat) throw new ChatError('not_found');
    return seat;
  }

  /** The same seat as the booking stands now; undefined when it has ended. For what is told later, by a timer. */
  async latest(seat: Seat): Promise<Seat | undefined> {
    const cached = await this.cache.get(seat.booking.id);
    for (const current of cached?.seats.values() ?? []) if (current.row.no === seat.row.no) return current;
    return undefined;
  }

  /** The seat's booking as this node knows it now: who is told after a wait for the store. */
  bookingNow(seat: Seat): BookingRecord {
    return this.cache.newest(seat.booking);
  }

  /** Why the chat does not allow this now; undefined when it does. */
  denial(seat: Seat, action: Action): ChatError | undefined {
    // Every message asks twice: one look at the clock, while the chat is open.
    seat.openUntilMs ??= this.policy.openUntilMs(seat.scope, seat.booking);
    if (Date.now() < seat.openUntilMs && ALLOWED[action].includes('open')) return undefined;
    const now = new Date();
    const { booking, scope } = seat;
    const chat = this.policy.chatFor(scope, booking, now);
    if (ALLOWED[action].includes(chat)) return undefined;
    const closedAt = booking.closes_at !== null && booking.closes_at <= now ? booking.closes_at : undefined;
    return new ChatError('chat_closed', {
      details: { status: booking.status, chat, ...(closedAt && { closed_at: closedAt.toISOString() }) },
    });
  }

  private async lookUp(actor: Actor, bookingId: string): Promise<Seat> {
    if (!(await this.seats.has(actor, bookingId))) throw new ChatError('not_found');
    return this.refreshed(actor, bookingId);
  }
}

const seatIn = (cached: CachedBooking | undefined, actor: Actor): Seat | undefined =>
  cached?.seats.get(actor.key);
