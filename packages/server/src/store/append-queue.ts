import type { AppendEntry, AppendOutcome } from './append-entry.js';

/** An entry, and who waits for what becomes of it. */
export interface Waiting {
  readonly entry: AppendEntry;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 500;

/** Waiting entries by booking; bookings take turns, so that a flooded one does not hold up the others. */
export class AppendQueue {
  private readonly lanes = new Map<number, Waiting[]>();
  private waiting = 0;

  get size(): number {
    return this.waiting;
  }

  add(item: Waiting): void {
    const lane = this.lanes.get(item.entry.bookingNo);
    if (lane) lane.push(item);
    else this.lanes.set(item.entry.bookingNo, [item]);
    this.waiting += 1;
  }

  /** The next batch, fair between bookings. A repeat of an entry in the batch waits for the next one. */
  take(): Waiting[] {
    const share = Math.max(1, Math.floor(MAX_BATCH / this.lanes.size));
    const batch: Waiting[] = [];
    const left: [number, Waiting[]][] = [];
    for (const [bookingNo, lane] of this.lanes) {
      if (batch.length >= MAX_BATCH) break;
      this.lanes.delete(bookingNo);
      const rest = takeDistinct(lane, Math.min(share, MAX_BATCH - batch.length), batch);
      if (rest.length > 0) left.push([bookingNo, rest]);
    }
    // A booking that was served goes to the end of the turn.
    for (const [bookingNo, rest] of left) this.lanes.set(bookingNo, rest);
    this.waiting -= batch.length;
    return batch;
  }

  takeAll(): Waiting[] {
    const all = [...this.lanes.values()].flat();
    this.lanes.clear();
    this.waiting = 0;
    return all;
  }
}

/** Moves up to `most` entries without a repeated (sender, client_id) into the batch; returns what is left. */
function takeDistinct(lane: Waiting[], most: number, batch: Waiting[]): Waiting[] {
  const [only] = lane;
  if (lane.length === 1 && most > 0 && only !== undefined) {
    batch.push(only);
    return [];
  }
  const seen = new Set<string>();
  const rest: Waiting[] = [];
  let taken = 0;
  for (const item of lane) {
    const key = `${item.entry.senderNo}:${item.entry.clientId}`;
    if (taken < most && rest.length === 0 && !seen.has(key)) {
      seen.add(key);
      batch.push(item);
      taken += 1;
    } else {
      rest.push(item);
    }
  }
  return rest;
}
