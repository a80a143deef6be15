import type { LateQuarter } from './spec.ts';

/** Three times what most take at half of the capacity, with the rest between batches. */
const LATE_MS = 30;
const QUARTER_MS = 250;

/** When in the window messages were late: a time line, where a histogram only says how many. */
export class LateQuarters {
  private readonly quarters: LateQuarter[] = [];

  /** A message that was sent so long after the window began. */
  record(sentMs: number, tookMs: number): void {
    if (tookMs < LATE_MS) return;
    const atMs = Math.floor(sentMs / QUARTER_MS) * QUARTER_MS;
    let quarter = this.quarters.findLast((each) => each.atMs === atMs);
    if (quarter === undefined) this.quarters.push((quarter = { atMs, messages: 0, longestMs: 0 }));
    quarter.messages += 1;
    quarter.longestMs = Math.max(quarter.longestMs, tookMs);
  }

  get all(): LateQuarter[] {
    return this.quarters.toSorted((a, b) => a.atMs - b.atMs);
  }
}
