import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PositionSharing } from './position-sharing.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a clock that is set back an hour holds up no position', async () => {
  const told: number[] = [];
  const sharing = new PositionSharing(async ({ lat }) => void told.push(lat));
  void sharing.share({ lat: 1, lng: 0 });
  await vi.advanceTimersByTimeAsync(0);
  vi.setSystemTime(Date.now() - 3_600_000);
  void sharing.share({ lat: 2, lng: 0 });
  void sharing.share({ lat: 3, lng: 0 });
  await vi.advanceTimersByTimeAsync(500);
  expect(told).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told, 'at most once a second, the last one wins').toEqual([1, 3]);
});
