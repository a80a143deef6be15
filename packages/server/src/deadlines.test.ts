import { expect, test, vi } from 'vitest';
import { Deadlines } from './deadlines.js';

test('what settles in time settles as it does, what does not is unavailable, each after the same patience', async () => {
  vi.useFakeTimers();
  try {
    const deadlines = new Deadlines(100, 'nobody answered');
    const never = new Promise<never>(() => undefined);
    const ended: [string, unknown, number][] = [];
    const watch = (name: string, work: Promise<unknown>) =>
      void deadlines.within(work).then(
        (value) => ended.push([name, value, performance.now() - from]),
        (error: { code?: string; message: string }) =>
          ended.push([name, error.code ?? error.message, performance.now() - from]),
      );
    const from = performance.now();
    watch('answered', Promise.resolve('a'));
    watch('failed', Promise.reject(new Error('b')));
    watch('first', never);
    await vi.advanceTimersByTimeAsync(60);
    watch('second', never);
    watch('late', new Promise((resolve) => setTimeout(() => resolve('c'), 90)));
    await vi.advanceTimersByTimeAsync(500);
    watch('third', never);
    await vi.advanceTimersByTimeAsync(101);
    const at = (ms: number) => expect.toSatisfy((found: number) => Math.abs(found - ms) <= 2);
    expect(ended).toEqual([
      ['answered', 'a', at(0)],
      ['failed', 'b', at(0)],
      ['first', 'unavailable', at(100)],
      ['late', 'c', at(150)],
      ['second', 'unavailable', at(160)],
      ['third', 'unavailable', at(660)],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('whose patience began earlier is answered first, whoever came first', async () => {
  vi.useFakeTimers();
  try {
    const deadlines = new Deadlines(100, 'nobody answered');
    const ended: [string, number][] = [];
    const from = performance.now();
    const watch = (name: string, sinceMs?: number) =>
      void deadlines
        .within(new Promise<never>(() => undefined), sinceMs)
        .catch(() => void ended.push([name, Math.round((performance.now() - from) / 10) * 10]));
    watch('now');
    watch('waited', from - 70);
    watch('waited too long', from - 200);
    await vi.advanceTimersByTimeAsync(500);
    expect(ended).toEqual([
      ['waited too long', 0],
      ['waited', 30],
      ['now', 100],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
