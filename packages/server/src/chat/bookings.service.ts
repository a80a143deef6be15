import type { BookingView, RouteBody, RouteQuery, RouteResult } from '@curbline/contract';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { AppendWriter } from '../store/append-writer.js';
import type { BookingRecord, PersonRow } from '../store/booking-row.js';
import { BookingsStore, type BookingChange, type ChangedBooking } from '../store/bookings.store.js';
import { ConnectionsStore } from '../store/connections.store.js';
import { BookingCache } from './booking-cache.js';
import { PolicyService } from './policy.service.js';
import { bookingView, closing } from './views.js';

type Put = RouteBody<'PUT /v1/bookings/{booking_id}'>;
type Patch = RouteBody<'PATCH /v1/bookings/{booking_id}'>;

/** Bookings as the host writes them. */
@Injectable()
export class BookingsService {
  private readonly logger = new Logger(BookingsService.name);
  /** The last change of each booking that is under way. */
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(BookingsStore) private readonly store: BookingsStore,
    @Inject(ConnectionsStore) private readonly connections: ConnectionsStore,
    @Inject(AppendWriter) private readonly writer: AppendWriter,
    @Inject(BookingCache) private readonly cache: BookingCache,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {}

  /** Creates or replaces. A changed driver is a reassignment. */
  async put(id: string, put: Put): Promise<{ created: boolean; booking: BookingView }> {
    this.policy.requireKnown(put.status);
    const changed = await this.change(id, true, {
      driver: put.driver,
      customer: put.customer,
      metadata: put.metadata ?? {},
      decide: (current) => this.policy.decide(current, put.status, new Date()),
    });
    return { created: changed.before === null, booking: this.view(changed.after) };
  }

  async patch(id: string, patch: Patch): Promise<BookingView> {
    const { status } = patch;
    if (status !== undefined) this.policy.requireKnown(status);
    const changed = await this.change(id, false, {
      driver: patch.driver,
      customer: patch.customer,
      metadata: patch.metadata,
      decide: (current) => this.policy.decide(current, status ?? current?.status ?? '', new Date()),
    });
    return this.view(changed.after);
  }

  async get(id: string): Promise<BookingView> {
    const record = await this.store.find(id);
    if (!record) throw new ChatError('not_found');
    return this.view(record);
  }

  async page(query: RouteQuery<'GET /v1/bookings'>): Promise<RouteResult<'GET /v1/bookings'>> {
    if (query.status !== undefined) this.policy.requireKnown(query.status);
    const beforeNo = query.cursor === undefined ? undefined : cursorNo(query.cursor);
    const records = await this.store.page({
      status: query.status,
      ...(beforeNo !== undefined && { beforeNo }),
      limit: query.limit + 1,
    });
    const data = records.slice(0, query.limit);
    const last = data.at(-1);
    return {
      data: data.map((record) => this.view(record)),
      next_cursor: records.length > query.limit && last ? cursorOf(last.no) : null,
    };
  }

  /** The chat of this booking changed by itself: grace or retention ran out. */
  async changedByTime(id: string): Promise<void> {
    await this.inTurn(id, async () => {
      const cached = await this.cache.reload(id);
      if (cached) this.tell(cached.record, undefined);
    });
  }

  private async change(id: string, mayCreate: boolean, change: BookingChange): Promise<ChangedBooking> {
    return await this.inTurn(id, async () => {
      const { before, after } = await this.store.change(id, mayCreate, change);
      this.cache.keep(after, performance.now());
      const driverChanged = before !== null && before.driver_no !== after.driver_no;
      const customerChanged = before !== null && before.customer_no !== after.customer_no;
      const isOtherPair =
        (driverChanged || customerChanged) && before.driver !== null && after.driver !== null;
      const connected = isOtherPair ? await this.connected(after) : after;
      // What was committed before the line is told before the line.
      await this.writer.settled();
      if (driverChanged) this.tellUnassigned(before.driver, 'driver', after);
      if (customerChanged) this.tellUnassigned(before.customer, 'customer', after);
      if (differs(before, after)) {
        this.tell(after, driverChanged && before.driver && after.driver ? 'reassigned' : undefined);
      }
      return { before, after: connected };
    });
  }

  /**
   * The conversation goes on with another person: their connection is found or created at once. The change is
   * committed, and those it concerns must hear of it; whoever joins makes up for a connection that failed.
   */
  private async connected(after: BookingRecord): Promise<BookingRecord> {
    const askedAtMs = performance.now();
    try {
      const connected = await this.connections.connect(after);
      return connected ? this.cache.keep(connected.record, askedAtMs).record : after;
    } catch (error) {
      this.logger.warn(`the people of a changed booking are connected when they join: ${String(error)}`);
      return after;
    }
  }

  /**
   * One after the other for a booking, so that changes are told in the order in which they were committed. Behind one
   * that the store was away for, nobody's patience is spent.
   */
  private async inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const previous = this.turns.get(id);
    const turn = (async () => {
      await previous?.catch((error: unknown) => {
        if (error instanceof ChatError && error.code === 'unavailable') throw error;
      });
      return await work();
    })();
    this.turns.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.turns.get(id) === turn) this.turns.delete(id);
    }
  }

  private tellUnassigned(
    person: PersonRow | null,
    scope: 'driver' | 'customer',
    record: BookingRecord,
  ): void {
    if (!person) return;
    this.fanout.toPeople([{ scope, user_id: person.id }], 'booking.updated', {
      booking_id: record.id,
      status: record.status,
      chat: 'closed',
      reason: 'unassigned',
    });
  }

  private tell(record: BookingRecord, reason: 'reassigned' | undefined): void {
    const now = new Date();
    const event = { booking_id: record.id, status: record.status, ...closing(record) };
    this.fanout.toPeople([{ scope: 'customer', user_id: record.customer.id }], 'booking.updated', {
      ...event,
      chat: this.policy.chatFor('customer', record, now),
      ...(reason && { reason }),
    });
    if (!record.driver) return;
    this.fanout.toPeople([{ scope: 'driver', user_id: record.driver.id }], 'booking.updated', {
      ...event,
      chat: this.policy.chatFor('driver', record, now),
    });
  }

  private view(record: BookingRecord): BookingView {
    return bookingView(record, this.policy.chat(record, new Date()));
  }
}

const differs = (before: BookingRecord | null, after: BookingRecord): boolean =>
  before === null ||
  before.status !== after.status ||
  before.driver_no !== after.driver_no ||
  before.customer_no !== after.customer_no ||
  before.closes_at?.getTime() !== after.closes_at?.getTime();

/** Cursors are positions in the order of creation, opaque to callers. */
export const cursorOf = (no: number): string => Buffer.from(`b${no}`).toString('base64url');

export function cursorNo(cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!/^b\d{1,15}$/.test(text))
    throw ChatError.invalid([{ path: 'cursor', message: 'not a cursor of this list' }]);
  return Number(text.slice(1));
}
