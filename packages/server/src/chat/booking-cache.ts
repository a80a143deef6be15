import { Inject, Injectable } from '@nestjs/common';
import type { BookingRecord } from '../store/booking-row.js';
import { BookingsStore } from '../store/bookings.store.js';
import { seatsOf, type Seat } from './seat.js';

/** A booking as this node last saw it. Rights are judged by it, and judged again when the log says it is stale. */
export interface CachedBooking {
  readonly record: BookingRecord;
  /** The seats that are taken now, by person. */
  readonly seats: ReadonlyMap<string, Seat>;
  /** On the process's own clock: everything committed before is in it. */
  readonly askedAtMs: number;
}

const MAX_BOOKINGS = 50_000;
/** Other processes on the same database change bookings too: only a send, which the log checks, trusts an older one. */
const MAX_AGE_MS = 15_000;

/**
 * Bookings in memory, so that a send asks the database nothing but the append. Never the last word: appends carry
 * the epoch they were judged by, and the log refuses an older one.
 */
@Injectable()
export class BookingCache {
  private readonly bookings = new Map<string, CachedBooking>();
  private readonly loading = new Map<string, Promise<CachedBooking | undefined>>();

  constructor(@Inject(BookingsStore) private readonly store: BookingsStore) {}

  /** What memory holds, fresh or not. */
  held(id: string): CachedBooking | undefined {
    return this.bookings.get(id);
  }

  /** What memory holds, if it is fresh. */
  peek(id: string): CachedBooking | undefined {
    const cached = this.bookings.get(id);
    return cached && performance.now() - cached.askedAtMs < MAX_AGE_MS ? cached : undefined;
  }

  /** From memory or the store; callers at once share one query. */
  async get(id: string): Promise<CachedBooking | undefined> {
    return this.peek(id) ?? (await this.load(id));
  }

  /** The newest that this node knows, for who is told now: a hint needs no fresh read. */
  newest(record: BookingRecord): BookingRecord {
    const known = this.bookings.get(record.id)?.record;
    return known && known.epoch >= record.epoch ? known : record;
  }

  /** From the store, whatever memory holds and whatever is being read: that may be outdated. */
  async reload(id: string): Promise<CachedBooking | undefined> {
    this.loading.delete(id);
    return this.load(id);
  }

  /**
   * Takes a record that was just read or written, and answers the newest: it, or one that a change of rights has
   * made meanwhile or that was asked for later.
   */
  keep(record: BookingRecord, askedAtMs: number): CachedBooking {
    const known = this.bookings.get(record.id);
    if (known && isNewer(known, record, askedAtMs)) return known;
    const cached = { record, seats: seatsOf(record, known?.seats), askedAtMs };
    if (known) this.drop(known);
    this.bookings.set(record.id, cached);
    if (this.bookings.size > MAX_BOOKINGS) {
      const oldest = this.bookings.values().next();
      if (!oldest.done) this.drop(oldest.value);
    }
    return cached;
  }

  private drop({ record, seats }: CachedBooking): void {
    this.bookings.delete(record.id);
    for (const seat of seats.values()) seat.isReplaced = true;
  }

  private load(id: string): Promise<CachedBooking | undefined> {
    const running = this.loading.get(id);
    if (running) return running;
    const askedAtMs = performance.now();
    const started: Promise<CachedBooking | undefined> = this.store
      .find(id)
      .then((record) => record && this.keep(record, askedAtMs))
      .finally(() => {
        if (this.loading.get(id) === started) this.loading.delete(id);
      });
    this.loading.set(id, started);
    return started;
  }
}

/** Of two with the same rights, the one that was asked for later has seen what the other has. */
const isNewer = (known: CachedBooking, record: BookingRecord, askedAtMs: number): boolean =>
  known.record.epoch === record.epoch ? known.askedAtMs > askedAtMs : known.record.epoch > record.epoch;
