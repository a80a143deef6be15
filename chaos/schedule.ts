import type { Cast, Details, Fault } from './faults/fault.ts';
import { Random } from './rig/random.ts';

/** One fault of a run: when, what, for how long. */
export interface Planned {
  atMs: number;
  forMs: number;
  fault: string;
  details: Details;
}

const CALM_MS = 1_500;

/**
 * Draws the faults of a run: two lanes, each one fault after the other, with a pause between. Every fault of the list
 * comes once before any comes twice. The same seed, length and list always give the same schedule.
 */
export function drawSchedule(
  seed: number,
  lengthMs: number,
  faults: readonly Fault[],
  cast: Cast,
): Planned[] {
  return (['ground', 'way'] as const)
    .flatMap((lane, index) =>
      drawLane(
        new Random(seed * 2 + index),
        lengthMs,
        faults.filter((fault) => fault.lane === lane),
        cast,
      ),
    )
    .sort((one, other) => one.atMs - other.atMs || one.fault.localeCompare(other.fault));
}

function drawLane(random: Random, lengthMs: number, faults: readonly Fault[], cast: Cast): Planned[] {
  const planned: Planned[] = [];
  if (faults.length === 0) return planned;
  let deck: Fault[] = [];
  for (let atMs = CALM_MS + random.whole(0, 1_000); ;) {
    if (deck.length === 0) deck = random.shuffled(faults);
    const fault = deck.shift();
    if (fault === undefined) return planned;
    const forMs = random.whole(...fault.lastsMs);
    const details = fault.draw?.(random, cast) ?? {};
    if (atMs + forMs > lengthMs) return planned;
    planned.push({ atMs, forMs, fault: fault.name, details });
    atMs += forMs + random.whole(CALM_MS, 4_000);
  }
}

export const printSchedule = (planned: readonly Planned[]): string =>
  planned
    .map(({ atMs, forMs, fault, details }) => {
      const more = Object.entries(details).map(
        ([key, value]) => `${key}=${Array.isArray(value) ? value.join('+') : value}`,
      );
      return `  ${(atMs / 1_000).toFixed(1).padStart(7)} s  ${fault.padEnd(18)} for ${(forMs / 1_000).toFixed(1)} s  ${more.join(' ')}`.trimEnd();
    })
    .join('\n');
