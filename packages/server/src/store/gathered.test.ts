import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gathered } from './gathered.js';

const REST_MS = 10;

/** When which questions were asked together, by the clock that the test moves. */
const asked: { atMs: number; questions: readonly number[] }[] = [];
let gathered: Gathered<number, number>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] });
  asked.length = 0;
  gathered = new Gathered(async (questions) => {
    asked.push({ atMs: performance.now(), questions: [...questions] });
    return questions.map((question) => question * 2);
  }, REST_MS);
});
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('who comes alone is asked for at once, and each gets the answer to their own question', async () => {
  const answer = gathered.one(21);
  await pass(0);
  await expect(answer).resolves.toBe(42);
  expect(asked).toEqual([{ atMs: asked[0]?.atMs, questions: [21] }]);
});

test('while more come, there is a rest between two queries, and they travel together', async () => {
  const answers = [gathered.one(0)];
  await pass(0);
  for (let next = 1; next <= 30; next += 1) {
    answers.push(gathered.one(next));
    await pass(1);
  }
  await pass(2 * REST_MS);
  expect(await Promise.all(answers)).toEqual(answers.map((_, question) => question * 2));
  const gaps = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
  // All but the last, which is asked once nobody comes any more.
  expect(Math.min(...gaps.slice(0, -1))).toBeGreaterThanOrEqual(REST_MS);
  expect(asked.length).toBeLessThanOrEqual(1 + 30 / REST_MS + 1);
});

test('once nobody comes, those who wait are asked for without the rest', async () => {
  void gathered.one(1);
  await pass(0);
  const first = asked[0]?.atMs ?? 0;
  void gathered.one(2);
  void gathered.one(3);
  await pass(3);
  expect(asked.map(({ questions }) => questions)).toEqual([[1], [2, 3]]);
  expect((asked[1]?.atMs ?? 0) - first).toBeLessThan(REST_MS / 2);
});
