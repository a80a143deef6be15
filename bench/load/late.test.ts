import { expect, test } from 'vitest';
import { LateQuarters } from './late.ts';

test('only what took long is told, by the quarter of a second in which it was sent', () => {
  const late = new LateQuarters();
  late.record(10, 29.9);
  // Answers come in another order than what they answer was sent in.
  late.record(760, 31);
  late.record(249, 80);
  late.record(990, 44);
  expect(late.all).toEqual([
    { atMs: 0, messages: 1, longestMs: 80 },
    { atMs: 750, messages: 2, longestMs: 44 },
  ]);
});
