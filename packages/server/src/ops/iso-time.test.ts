import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from './iso-time.js';

/** Times that follow each other within a second, and leaps. */
const times = fc.array(
  fc.oneof(
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: 1_790_000_000_000, max: 1_790_000_003_000 }),
  ),
);

test('a time is spelled as toISOString spells it, whatever was spelled before', () => {
  fc.assert(
    fc.property(times, (all) => {
      for (const ms of all) expect(isoTime(new Date(ms))).toBe(new Date(ms).toISOString());
    }),
  );
});

test('what is no time throws, as toISOString does', () => {
  expect(() => isoTime(new Date(Number.NaN))).toThrow(RangeError);
});
