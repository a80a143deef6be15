/** One blow: what struck, and [milliseconds from it, messages without an answer]. */
export interface BlowTrace {
  kind: string;
  points: readonly (readonly [number, number])[];
}

/** At one moment after the blow, over all traces. */
export interface Spread {
  ms: number;
  low: number;
  middle: number;
  high: number;
}

const LOW = 0.1;
const HIGH = 0.9;

/** The value at a part of the sorted values, between neighbours in proportion. */
export function quantile(sorted: readonly number[], part: number): number {
  const place = part * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Median and 10–90 % at each step. A trace counts with its last value before the step; none yet, and it is left out. */
export function spread(traces: readonly BlowTrace[], fromMs: number, toMs: number, stepMs: number): Spread[] {
  const next = traces.map(() => 0);
  const out: Spread[] = [];
  for (let ms = fromMs; ms <= toMs; ms += stepMs) {
    const values: number[] = [];
    for (const [index, { points }] of traces.entries()) {
      let at = next[index] ?? 0;
      while (at < points.length && (points[at]?.[0] ?? 0) <= ms) at += 1;
      next[index] = at;
      const value = points[at - 1]?.[1];
      if (value !== undefined) values.push(value);
    }
    if (values.length === 0) continue;
    values.sort((one, other) => one - other);
    out.push({
      ms,
      low: quantile(values, LOW),
      middle: quantile(values, 0.5),
      high: quantile(values, HIGH),
    });
  }
  return out;
}
