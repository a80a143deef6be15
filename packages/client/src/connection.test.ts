import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from './connection.js';
import { ModelServer } from './server-model.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A client of a server that takes every link in and ends it after a while; the times of its links. */
const linksOf = async (livesMs: number, forMs: number): Promise<number[]> => {
  const server = new ModelServer();
  const links: number[] = [];
  const silent = (): void => undefined;
  const connection = new Connection(
    { url: 'model:', token: 't', user: { user_id: 'me', scope: 'customer' } },
    () => {
      const socket = server.socket('me');
      setTimeout(() => socket.deliver(), 10);
      setTimeout(() => socket.cut(), 10 + livesMs);
      return socket;
    },
    { state: silent, error: silent, identity: silent, event: silent, up: () => links.push(Date.now()) },
  );
  void connection.start();
  await vi.advanceTimersByTimeAsync(forMs);
  connection.stop();
  return links;
};

test('links that end at once come back less and less often', async () => {
  const links = await linksOf(200, 60_000);
  expect(links.length).toBeLessThan(12);
  expect((links.at(-1) ?? 0) - (links.at(-2) ?? 0)).toBeGreaterThan(9_000);
});

test('a link that held comes back soon', async () => {
  const links = await linksOf(15_000, 100_000);
  const gaps = links.slice(1).map((at, index) => at - (links[index] ?? 0) - 15_000);
  expect(Math.max(...gaps)).toBeLessThan(1_000);
});
