import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OwnTyping, Typists } from './typing.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a clock that is set back an hour neither holds typing up nor keeps it going', async () => {
  const told: boolean[] = [];
  const typing = new OwnTyping((value) => told.push(value));
  typing.set(true);
  await vi.advanceTimersByTimeAsync(0);
  typing.set(false);
  vi.setSystemTime(Date.now() - 3_600_000);
  typing.set(true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told).toEqual([true, false, true]);
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(told.at(-1), 'left alone it ends').toBe(false);
});

test('one key press is typing for six seconds, each further one for six more', async () => {
  const told: [number, boolean][] = [];
  const from = Date.now();
  const typing = new OwnTyping((value) => told.push([(Date.now() - from) / 1_000, value]));
  typing.set(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual([
    [0, true],
    [4, true],
    [6, false],
  ]);
  told.length = 0;
  typing.set(true);
  await vi.advanceTimersByTimeAsync(5_000);
  typing.set(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.at(-1)).toEqual([31, false]);
  typing.set(true);
  await vi.advanceTimersByTimeAsync(0);
  typing.forget();
  expect(vi.getTimerCount()).toBe(0);
});

test('a driver and a customer with one number are two people', async () => {
  const typists = new Typists(() => undefined);
  typists.started({ user_id: '5', scope: 'customer' });
  typists.started({ user_id: '5', scope: 'support' });
  typists.ended({ user_id: '5', scope: 'driver' });
  expect(typists.all).toHaveLength(2);
  typists.ended({ user_id: '5', scope: 'customer' });
  expect(typists.all).toEqual([{ user_id: '5', scope: 'support' }]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(typists.all).toEqual([]);
});
