import type { Turn } from './spec.ts';

/** Whoever takes turns. */
export interface Taker {
  /** What it had an answer to, warm-up included. */
  readonly answered: number;
  connect(): Promise<void>;
  /** One turn of so many milliseconds; what it found is of its later part. */
  turn(turnMs: number): Promise<Turn>;
  close(): Promise<void>;
}

/** The first part of each turn is not counted: its caches are still the other's. */
export const SETTLE = 0.25;

/** Microseconds for one of so many. */
export const usEach = (seconds: number, count: number): number => (count === 0 ? 0 : (seconds * 1e6) / count);
