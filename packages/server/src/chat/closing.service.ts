import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { BookingsStore } from '../store/bookings.store.js';
import { IdempotencyStore } from '../store/idempotency.store.js';
import { LocationsStore } from '../store/locations.store.js';
import { BookingsService } from './bookings.service.js';
import { PolicyService } from './policy.service.js';

const CLOSING_EVERY_MS = 1_000;
const RETENTION_EVERY_MS = 600_000;
const ARCHIVE_AT_ONCE = 100;

/** What time does to bookings: grace periods that end, bodies whose retention is over. */
@Injectable()
export class ClosingService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ClosingService.name);
  private readonly timers: NodeJS.Timeout[] = [];
  /** Claimed by this node, so told by nobody else: kept until they are told. */
  private readonly untold = new Set<string>();

  constructor(
    @Inject(BookingsStore) private readonly store: BookingsStore,
    @Inject(LocationsStore) private readonly locations: LocationsStore,
    @Inject(IdempotencyStore) private readonly keys: IdempotencyStore,
    @Inject(BookingsService) private readonly bookings: BookingsService,
    @Inject(PolicyService) private readonly policy: PolicyService,
  ) {}

  onApplicationBootstrap(): void {
    this.every(CLOSING_EVERY_MS, 'chats that close', () => this.close());
    this.every(RETENTION_EVERY_MS, 'retention', () => this.retain());
    void this.guarded('retention', () => this.retain());
  }

  onApplicationShutdown(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Tells the participants of chats whose grace has passed: each chat once, by one node. */
  async close(): Promise<void> {
    for (const id of await this.store.claimClosed(new Date())) this.untold.add(id);
    // Who keeps nothing does not wait for the next turn of the retention.
    if (this.policy.keepsNothing) await this.retain();
    for (const id of this.untold) {
      await this.locations.forget(id);
      await this.bookings.changedByTime(id);
      this.untold.delete(id);
    }
  }

  /** Erases the bodies of bookings whose retention is over; their participants are told at the next turn of `close`. */
  async retain(): Promise<void> {
    const before = this.policy.retainedSince(new Date());
    for (;;) {
      const ids = await this.store.archive(before, ARCHIVE_AT_ONCE);
      for (const id of ids) this.untold.add(id);
      if (ids.length < ARCHIVE_AT_ONCE) break;
    }
    await this.keys.forgetOld();
  }

  private every(intervalMs: number, what: string, work: () => Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      void this.guarded(what, work).finally(() => (running = false));
    }, intervalMs);
    timer.unref();
    this.timers.push(timer);
  }

  /** A database that is away is met again at the next turn. */
  private async guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${what}: tried again later: ${String(error)}`);
    }
  }
}
