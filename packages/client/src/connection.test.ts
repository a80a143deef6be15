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

test('a token that takes longer than an answer may is waited for, and one that never comes is told of', async () => {
  const server = new ModelServer();
  const tokenAfter = async (takesMs: number, forMs: number): Promise<string[]> => {
    const told: string[] = [];
    const jwt = `e30.${btoa(JSON.stringify({ sub: 'me', scope: 'customer' }))}.x`;
    const token = (): Promise<string> => new Promise((resolve) => void setTimeout(resolve, takesMs, jwt));
    const connection = new Connection(
      { url: 'model:', token },
      () => {
        const socket = server.socket('me');
        setTimeout(() => socket.deliver(), 10);
        return socket;
      },
      {
        state: (state) => told.push(state),
        error: ({ code }) => told.push(code),
        identity: () => undefined,
        event: () => undefined,
        up: () => undefined,
      },
    );
    connection.start().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(forMs);
    connection.stop();
    return told;
  };
  expect(await tokenAfter(25_000, 26_000)).toEqual(['connecting', 'online', 'closed']);
  expect(await tokenAfter(1e9, 31_000)).toEqual(['connecting', 'token', 'offline', 'closed']);
});
