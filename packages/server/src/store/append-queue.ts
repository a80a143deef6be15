import type { AppendEntry, AppendOutcome } from './append-entry.js';

/** An entry, and who waits for what becomes of it. */
export interface Waiting {
  readonly entry: AppendEntry;
  /** Whether to look for an earlier row. */
  readonly mayBeKept: boolean;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 500;
const PRUNE_AT_LEAST = 10_000;

/**
 * What waits for one booking. It stays when it is empty: a map that gets and loses a key for each message leaves a chain
 * of dead tables behind, which keeps every message of it in memory until the next full garbage collection.
 */
class Lane {
  first: Waiting | undefined;
  /** Emptied in its place: a list that is thrown away with messages in it keeps them as long as such a table does. */
  readonly more: Waiting[] = [];
}

/** Waiting entries by booking; bookings take turns, so that a flooded one does not hold up the others. */
export class AppendQueue {
  private readonly lanes = new Map<number, Lane>();
  /** Those in which somebody waits, in the order of their turns. */
  private turns: Lane[] = [];
  private waiting = 0;
  private pruneAt = PRUNE_AT_LEAST;

  get size(): number {
    return this.waiting;
  }

  add(item: Waiting): void {
    const lane = this.laneOf(item.entry.bookingNo);
    if (lane.first === undefined) {
      lane.first = item;
      this.turns.push(lane);
    } else lane.more.push(item);
    this.waiting += 1;
  }

  /** The next batch, fair between bookings. A repeat of an entry in the batch waits for the next one. */
  take(): Waiting[] {
    const { turns } = this;
    const share = Math.max(1, Math.floor(MAX_BATCH / turns.length));
    const batch: Waiting[] = [];
    const left: Lane[] = [];
    let served = 0;
    for (const lane of turns) {
      if (batch.length >= MAX_BATCH) break;
      takeDistinct(lane, Math.min(share, MAX_BATCH - batch.length), batch);
      if (lane.first !== undefined) left.push(lane);
      served += 1;
    }
    // A booking that was served goes to the end of the turn.
    this.turns = served === turns.length ? left : [...turns.slice(served), ...left];
    this.waiting -= batch.length;
    return batch;
  }

  takeAll(): Waiting[] {
    const all: Waiting[] = [];
    for (const lane of this.turns) {
      if (lane.first !== undefined) all.push(lane.first, ...lane.more.splice(0));
      lane.first = undefined;
    }
    this.turns = [];
    this.waiting = 0;
    return all;
  }

  private laneOf(bookingNo: number): Lane {
    const known = this.lanes.get(bookingNo);
    if (known) return known;
    if (this.lanes.size >= this.pruneAt) this.prune();
    const lane = new Lane();
    this.lanes.set(bookingNo, lane);
    return lane;
  }

  private prune(): void {
    for (const [bookingNo, { first }] of this.lanes) if (first === undefined) this.lanes.delete(bookingNo);
    this.pruneAt = Math.max(PRUNE_AT_LEAST, this.lanes.size * 2);
  }
}

/** Moves up to `most` entries without a repeated (sender, client_id) into the batch, in their order. */
function takeDistinct(lane: Lane, most: number, batch: Waiting[]): void {
  const { first, more } = lane;
  if (first === undefined) return;
  lane.first = undefined;
  batch.push(first);
  if (more.length === 0) return;
  const isNew = distinct(first);
  let taken = 0;
  for (const item of more) {
    if (taken + 1 >= most || !isNew(item)) break;
    batch.push(item);
    taken += 1;
  }
  more.splice(0, taken);
  lane.first = more.shift();
}

/** Up to here they are compared with each other, and no key has to be spelled: most lanes of a batch hold two. */
const FEW = 8;

/** Says of one item after the other whether its (sender, client_id) is new. */
function distinct(first: Waiting): (item: Waiting) => boolean {
  const few = [first];
  let many: Set<string> | undefined;
  return (item) => {
    if (many === undefined) {
      if (few.some((one) => isRepeat(one, item))) return false;
      few.push(item);
      if (few.length > FEW) many = new Set(few.map(keyOf));
      return true;
    }
    const { size } = many;
    return many.add(keyOf(item)).size > size;
  };
}

const isRepeat = ({ entry: one }: Waiting, { entry: other }: Waiting): boolean =>
  one.senderNo === other.senderNo && one.clientId === other.clientId;

const keyOf = ({ entry }: Waiting): string => `${entry.senderNo}:${entry.clientId}`;
