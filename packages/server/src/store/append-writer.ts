import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChatError } from '../chat-error.js';
import type { AppendEntry, AppendOutcome, KeptRow } from './append-entry.js';
import { AppendQueue, type Waiting } from './append-queue.js';
import {
  JUDGE,
  STORE_ALL,
  STORE_ALL_IF_NEW,
  STORE_ONE,
  STORE_ONE_IF_NEW,
  UNLOCKED,
  bindAll,
  bindJudge,
  bindOne,
  growthOf,
  numbersOf,
} from './append-statements.js';
import { Database } from './database.js';
import { RecentSends } from './recent-sends.js';
import { isConflict, isUnavailable, storeError } from './store-error.js';

/** What became of each entry of a batch, in its order; undefined where that was not said. */
type Outcomes = readonly (AppendOutcome | undefined)[];

interface KeptEntry extends KeptRow {
  readonly seq: number;
  readonly at_ms: number;
}

/**
 * A commit costs the database the same for one message as for twenty. When messages come so fast that one batch brought
 * several, the next one waits for two milliseconds, unless enough wait for it already: a quarter less work for
 * PostgreSQL at half of the capacity, and the slowest are sooner there.
 */
const BUSY = 4;
const ENOUGH = 64;
const REST_MS = 2;
/** Waiting entries beyond this are refused at once: memory stays bounded when the database is slow. */
const MAX_WAITING = 20_000;
/** How long a failed append speaks against a store that answers other questions. Well below the 3 s to be back in. */
const DOUBTED_FOR_MS = 2_000;
/** Entries whose fate is unknown are remembered up to this many; beyond it, the oldest are caught up by `seq` only. */
const MAX_UNSURE = 20_000;

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Group commit for the log: what arrives while one batch commits goes into the next, in one statement.
 * An idle writer sends at once, a busy one grows its batch. One batch is in flight.
 */
@Injectable()
export class AppendWriter {
  private readonly queue = new AppendQueue();
  private readonly recent = new RecentSends();
  private running = false;
  /** The last batch was one message. */
  private quiet = true;
  private flight: Promise<unknown> = Promise.resolve();
  private failedAtMs = Number.NEGATIVE_INFINITY;
  /** Sent to a database that stopped answering: it may yet keep them. */
  private readonly unsure = new Set<string>();

  constructor(@Inject(Database) private readonly database: Database) {}

  /** Resolves after the commit. Rejects with `unavailable` when nothing was kept, else with the database's error. */
  append(entry: AppendEntry): Promise<AppendOutcome> {
    if (this.queue.size >= MAX_WAITING)
      return Promise.reject(new ChatError('unavailable', { retryAfterMs: 1_000 }));
    return new Promise((resolve, reject) => {
      const mayBeKept = this.recent.repeats(entry.clientId) || entry.mayBeKept;
      this.queue.add({ entry, mayBeKept, resolve, reject });
      if (!this.running) {
        this.running = true;
        void this.run();
      }
    });
  }

  /** Throws `unavailable` while the last that was tried, a moment ago, could not be kept: the store answers, but is full or locked. */
  check(): void {
    if (performance.now() - this.failedAtMs < DOUBTED_FOR_MS) throw new ChatError('unavailable');
  }

  /** Resolves when the batch in flight now, if any, is answered and what waits on it has run. */
  async settled(): Promise<void> {
    await this.flight;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when nothing waits or runs any more. */
  async drained(): Promise<void> {
    while (this.running) await this.settled();
  }

  private async run(): Promise<void> {
    // What one tick brought in travels together; while messages come one by one, none is kept waiting for company.
    if (!this.quiet) await new Promise((resolve) => setImmediate(resolve));
    while (this.queue.size > 0) {
      const batch = this.queue.take();
      this.quiet = batch.length === 1;
      this.flight = this.commit(batch);
      await this.flight;
      if (batch.length >= BUSY && this.queue.size < ENOUGH) await sleep(REST_MS);
    }
    this.running = false;
  }

  /**
   * Commits a batch and answers each entry: as new ones first, which nearly all are; what is not new is judged. False when the
   * store is away: everybody has been told.
   */
  private async commit(batch: readonly Waiting[], judged = false): Promise<boolean> {
    let outcomes: Outcomes;
    try {
      outcomes = await (judged ? this.judge(batch) : this.store(batch));
    } catch (error) {
      // Another node keeps one of them in this moment: nothing of the batch was written.
      if (!judged && isConflict(error)) return await this.commit(batch, true);
      return await this.recover(batch, error);
    }
    this.failedAtMs = Number.NEGATIVE_INFINITY;
    const rest: Waiting[] = [];
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) rest.push(waiting);
      else waiting.resolve(this.told(waiting.entry, outcome));
    }
    if (rest.length === 0) return true;
    if (!judged) return await this.commit(rest, true);
    for (const { reject } of rest)
      reject(new Error('the append function answered less than it was asked for'));
    return true;
  }

  private told(entry: AppendEntry, outcome: AppendOutcome): AppendOutcome {
    const untold = this.unsure.size > 0 && this.unsure.delete(keyOf(entry));
    return untold && outcome.outcome === 'kept' ? { ...outcome, untold } : outcome;
  }

  /**
   * Away, slow or full: everybody who waits hears it now, nobody's two seconds are spent in a queue.
   * Anything else may be one bad row: each entry is tried alone and answers for itself.
   */
  private async recover(batch: readonly Waiting[], error: unknown): Promise<boolean> {
    const free = isLocked(error) ? await this.unlocked(batch) : undefined;
    if (free !== undefined) return await this.withoutLocked(batch, free, error);
    if (isUnavailable(error)) {
      this.failedAtMs = performance.now();
      const unavailable = storeError(error);
      for (const { entry } of batch) this.remember(keyOf(entry));
      for (const waiting of [...batch, ...this.queue.takeAll()]) waiting.reject(unavailable);
      return false;
    }
    if (batch.length === 1) {
      batch[0]?.reject(error);
      return true;
    }
    for (const [index, waiting] of batch.entries()) {
      if (await this.commit([waiting])) continue;
      for (const skipped of batch.slice(index + 1))
        skipped.reject(new ChatError('unavailable', { retryAfterMs: 1_000 }));
      return false;
    }
    return true;
  }

  /** Somebody holds the row of one booking: the others need not wait for him. */
  private async withoutLocked(
    batch: readonly Waiting[],
    free: ReadonlySet<number>,
    error: unknown,
  ): Promise<boolean> {
    const rest: Waiting[] = [];
    for (const waiting of batch) {
      if (free.has(waiting.entry.bookingNo)) rest.push(waiting);
      else waiting.reject(storeError(error));
    }
    return rest.length === 0 || (await this.commit(rest));
  }

  /** The bookings of a batch whose rows nobody holds; undefined when that cannot be told, or when it is not about them. */
  private async unlocked(batch: readonly Waiting[]): Promise<ReadonlySet<number> | undefined> {
    const numbers = [...new Set(batch.map(({ entry }) => entry.bookingNo))];
    try {
      const rows = await this.database.writer.ask(UNLOCKED, (message) => message.int8s(numbers, (no) => no));
      return rows.length === numbers.length ? undefined : new Set(rows.map(([no]) => Number(no)));
    } catch {
      // Whatever it is, the batch's own error says enough.
      return undefined;
    }
  }

  private remember(key: string): void {
    this.unsure.add(key);
    if (this.unsure.size <= MAX_UNSURE) return;
    const [oldest] = this.unsure;
    if (oldest !== undefined) this.unsure.delete(oldest);
  }

  /** New messages. Says nothing of those that are not, or may not be. */
  private async store(batch: readonly Waiting[]): Promise<Outcomes> {
    const [first] = batch;
    if (first === undefined || batch.length > 1) return await this.storeAll(batch);
    const statement = first.mayBeKept ? STORE_ONE_IF_NEW : STORE_ONE;
    const [row] = await this.database.writer.ask(statement, (message) => bindOne(message, first.entry));
    const [seq, atMs] = row ?? [];
    const at = new Date(Math.round(Number(atMs)));
    return [row && { outcome: 'stored', seq: Number(seq), at, isAlone: true }];
  }

  private async storeAll(batch: readonly Waiting[]): Promise<Outcomes> {
    const sorted = batch.map(({ entry }) => entry).sort((one, other) => one.bookingNo - other.bookingNo);
    const growth = growthOf(sorted);
    if (growth === undefined) return [];
    const statement = batch.some(({ mayBeKept }) => mayBeKept) ? STORE_ALL_IF_NEW : STORE_ALL;
    const [row] = await this.database.writer.ask(statement, (message) => bindAll(message, growth, sorted));
    const [grown, heads, times] = row ?? [];
    if (!grown || !heads || !times) return [];
    const atMs = numbersOf(times);
    const lastSeqs = numbersOf(heads);
    /** The `seq` that each booking had before, and when it grew. */
    const before = new Map<number, { seq: number; at: Date }>();
    for (const [index, bookingNo] of numbersOf(grown).entries())
      before.set(bookingNo, { seq: lastSeqs[index] ?? 0, at: new Date(atMs[index] ?? 0) });
    for (const { bookingNo, count } of growth) {
      const head = before.get(bookingNo);
      if (head) head.seq -= count;
    }
    // In the order in which they came, which is the order within each booking.
    return batch.map(({ entry }) => {
      const head = before.get(entry.bookingNo);
      return head && { outcome: 'stored', seq: (head.seq += 1), at: head.at, isAlone: false };
    });
  }

  private async judge(batch: readonly Waiting[]): Promise<Outcomes> {
    const entries = batch.map(({ entry }) => entry);
    const [row] = await this.database.writer.ask(JUDGE, (message) => bindJudge(message, entries));
    const [atMs, seqs, keptRows] = row ?? [];
    if (typeof seqs !== 'string') throw new Error('the append function answered nothing');
    const at = new Date(Math.round(Number(atMs)));
    const kept = (typeof keptRows === 'string' ? (JSON.parse(keptRows) as KeptEntry[]) : []).values();
    return numbersOf(seqs).map((seq) => {
      if (seq > 0) return { outcome: 'stored', seq, at, isAlone: false };
      if (seq === 0) return { outcome: 'stale' };
      const next = kept.next();
      return next.done ? undefined : keptOutcome(next.value);
    });
  }
}

const isLocked = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === LOCK_NOT_AVAILABLE;

const keyOf = ({ bookingNo, senderNo, clientId }: AppendEntry): string =>
  `${bookingNo}:${senderNo}:${clientId}`;

const keptOutcome = ({ seq, at_ms, ...row }: KeptEntry): AppendOutcome => ({
  outcome: 'kept',
  seq,
  at: new Date(Math.round(at_ms)),
  row,
  untold: false,
});
