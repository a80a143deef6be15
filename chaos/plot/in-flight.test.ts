import { expect, test } from 'vitest';
import { quantile, spread } from './in-flight.ts';

test('a quantile lies between its neighbours in proportion', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([0, 10], 0.9)).toBe(9);
  expect(quantile([7], 0.1)).toBe(7);
});

test('a trace counts with its last value, and not before its first', () => {
  const traces = [
    { kind: 'a', points: [[-10, 4] as const, [5, 8] as const] },
    { kind: 'b', points: [[0, 6] as const] },
  ];
  expect(spread(traces, -20, 10, 10).map(({ ms, middle }) => [ms, middle])).toEqual([
    [-10, 4],
    [0, 5],
    [10, 7],
  ]);
});
