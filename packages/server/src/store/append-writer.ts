import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChatError } from '../chat-error.js';
import type { AppendEntry, AppendOutcome, KeptRow } from './append-entry.js';
import { AppendQueue, type Waiting } from './append-queue.js';
import { PG_ARRAY, PG_TYPE, type BindMessage } from './bind-message.js';
import { Database } from './database.js';
import type { Statement } from './prepared-queries.js';
import { isUnavailable, storeError } from './store-error.js';

/** What became of a batch. */
interface Appended {
  /** When, for all that was stored: milliseconds since the epoch. */
  readonly atMs: number;
  /** For each entry: 3, stored there; -1, kept before, at 1; 0, stale. */
  readonly seqs: readonly string[];
  readonly kept: readonly KeptEntry[];
}

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

const APPEND: Statement = {
  name: 'curbline-append',
  text: 'SELECT at_ms, seqs::text, kept FROM curbline_append($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  types: [
    PG_ARRAY.int8,
    PG_ARRAY.int4,
    PG_ARRAY.int8,
    PG_ARRAY.int2,
    PG_ARRAY.uuid,
    PG_ARRAY.int2,
    PG_ARRAY.int2,
    PG_ARRAY.uuid,
    PG_ARRAY.text,
  ],
};

/**
 * One message that comes alone, for half of what the function costs. It answers nothing when the message was kept
 * before or is stale, and fails by the unique key when another node keeps it in this moment: then the function judges.
 */
const APPEND_ONE: Statement = {
  name: 'curbline-append-one',
  types: [
    PG_TYPE.int8,
    PG_TYPE.int4,
    PG_TYPE.int8,
    PG_TYPE.int2,
    PG_TYPE.uuid,
    PG_TYPE.int2,
    PG_TYPE.int2,
    PG_TYPE.uuid,
    PG_TYPE.text,
  ],
  text: `
WITH head AS (
  UPDATE bookings SET
    last_seq = last_seq + 1,
    driver_sent_seq = CASE WHEN $4::smallint = 1 THEN last_seq + 1 ELSE driver_sent_seq END,
    customer_sent_seq = CASE WHEN $4 = 2 THEN last_seq + 1 ELSE customer_sent_seq END,
    active_at = date_trunc('milliseconds', clock_timestamp())
  WHERE no = $1
    AND ($2::integer IS NULL OR (epoch = $2 AND (closes_at IS NULL OR closes_at > clock_timestamp())))
    AND NOT EXISTS (SELECT FROM messages WHERE booking_no = $1 AND client_id = $5 AND sender_no = $3)
  RETURNING last_seq, active_at
)
INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
SELECT $1, $3, active_at, last_seq, $7, $6, $8, $5, $9 FROM head
RETURNING seq, (extract(epoch FROM created_at) * 1000)::float8 AS at_ms`,
};
const UNLOCKED: Statement = {
  name: 'curbline-append-unlocked',
  text: 'SELECT no FROM bookings WHERE no = ANY ($1::bigint[]) ORDER BY no FOR NO KEY UPDATE SKIP LOCKED',
  types: [PG_ARRAY.int8],
};
const UNIQUE_VIOLATION = '23505';
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Group commit for the log: what arrives while one batch commits goes into the next, in one statement.
 * An idle writer sends at once, a busy one grows its batch. One batch is in flight.
 */
@Injectable()
export class AppendWriter {
  private readonly queue = new AppendQueue();
  private running = false;
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
      this.queue.add({ entry, resolve, reject });
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
    // What one tick brought in travels together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.queue.size > 0) {
      const batch = this.queue.take();
      this.flight = this.commit(batch);
      await this.flight;
      if (batch.length >= BUSY && this.queue.size < ENOUGH) await sleep(REST_MS);
    }
    this.running = false;
  }

  /** Commits a batch and answers each entry. False when the store is away: everybody has been told. */
  private async commit(batch: Waiting[]): Promise<boolean> {
    let appended: Appended;
    try {
      appended = await (batch.length === 1 ? this.appendOne(batch) : this.appendAll(batch));
    } catch (error) {
      return await this.recover(batch, error);
    }
    this.failedAtMs = Number.NEGATIVE_INFINITY;
    const { seqs } = appended;
    const at = new Date(Math.round(appended.atMs));
    const kept = appended.kept.values();
    let index = 0;
    for (const { entry, resolve, reject } of batch) {
      const seq = Number(seqs[index]);
      index += 1;
      const untold = this.unsure.size > 0 && this.unsure.delete(keyOf(entry));
      if (seq > 0) resolve({ outcome: 'stored', seq, at });
      else if (seq === 0) resolve({ outcome: 'stale' });
      else {
        const row = seq < 0 ? kept.next().value : undefined;
        if (row === undefined) reject(new Error('the append function answered less than it was asked for'));
        else resolve(keptOutcome(row, untold));
      }
    }
    return true;
  }

  /**
   * Away, slow or full: everybody who waits hears it now, nobody's two seconds are spent in a queue.
   * Anything else may be one bad row: each entry is tried alone and answers for itself.
   */
  private async recover(batch: Waiting[], error: unknown): Promise<boolean> {
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

  private async appendOne(batch: readonly Waiting[]): Promise<Appended> {
    try {
      const [stored] = await this.database.writer.ask(APPEND_ONE, (message) => bindOne(message, batch));
      if (stored) return { atMs: Number(stored[1]), seqs: [stored[0] ?? ''], kept: [] };
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    }
    return this.appendAll(batch);
  }

  private async appendAll(batch: readonly Waiting[]): Promise<Appended> {
    const [appended] = await this.database.writer.ask(APPEND, (message) => bindAll(message, batch));
    const [atMs, seqs, kept] = appended ?? [];
    if (typeof seqs !== 'string') throw new Error('the append function answered nothing');
    return {
      atMs: Number(atMs),
      // PostgreSQL spells an array `{3,-1,0}`.
      seqs: seqs.slice(1, -1).split(','),
      kept: typeof kept === 'string' ? (JSON.parse(kept) as KeptEntry[]) : [],
    };
  }
}

function bindOne(message: BindMessage, batch: readonly Waiting[]): void {
  for (const { entry } of batch) {
    message.int8(entry.bookingNo);
    message.int4(entry.epoch);
    message.int8(entry.senderNo);
    message.int2(entry.scope);
    message.uuid(entry.clientId);
    message.int2(entry.flags);
    message.int2(entry.kind);
    message.uuid(entry.id);
    message.text(entry.body);
  }
}

function bindAll(message: BindMessage, batch: readonly Waiting[]): void {
  message.int8s(batch, ({ entry }) => entry.bookingNo);
  message.int4s(batch, ({ entry }) => entry.epoch);
  message.int8s(batch, ({ entry }) => entry.senderNo);
  message.int2s(batch, ({ entry }) => entry.scope);
  message.uuids(batch, ({ entry }) => entry.clientId);
  message.int2s(batch, ({ entry }) => entry.flags);
  message.int2s(batch, ({ entry }) => entry.kind);
  message.uuids(batch, ({ entry }) => entry.id);
  message.texts(batch, ({ entry }) => entry.body);
}

const isLocked = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === LOCK_NOT_AVAILABLE;

const keyOf = ({ bookingNo, senderNo, clientId }: AppendEntry): string =>
  `${bookingNo}:${senderNo}:${clientId}`;

const keptOutcome = ({ seq, at_ms, ...row }: KeptEntry, untold: boolean): AppendOutcome => ({
  outcome: 'kept',
  seq,
  at: new Date(Math.round(at_ms)),
  row,
  untold,
});
