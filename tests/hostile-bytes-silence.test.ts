import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawLink, RawPolling } from './harness/raw-link.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WatchedServer } from './harness/vital-signs.js';

const LIMIT_MS = 10_000;
/** For the sweep, the closing handshake and a busy machine. */
const GRACE_MS = 4_000;

let watched: WatchedServer;
beforeAll(async () => {
  watched = await WatchedServer.start();
});
afterAll(() => watched.stop());

async function tcp(): Promise<Socket> {
  const { hostname, port } = new URL(watched.server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** Ended politely or by a reset: `once` would throw at the second. */
const untilClosed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.on('close', () => resolve());
  });

/** Ways to be connected without saying who one is. Each resolves when the server has ended it. */
const strangers: Record<string, () => Promise<void>> = {
  'a TCP connection that says nothing': async () => untilClosed(await tcp()),
  'a request whose headers come a byte at a time': async () => {
    const socket = await tcp();
    socket.write('GET /health/live HTTP/1.1\r\nX-Slow: ');
    const timer = setInterval(() => socket.write('x'), 100);
    await untilClosed(socket);
    clearInterval(timer);
  },
  'Engine.IO without a namespace': async () => (await RawLink.open(watched.server.url)).untilClosed(),
  'a refused token': async () => {
    const link = await RawLink.open(watched.server.url);
    link.say('40{"token":"no"}');
    await link.until(() => link.heard.some((text) => text.startsWith('44')));
    await link.untilClosed();
  },
  'a namespace that does not exist': async () => {
    const link = await RawLink.open(watched.server.url);
    link.say('40/elsewhere,{}');
    await link.untilClosed();
  },
  'a person who has left the namespace': async () => {
    const link = await RawLink.open(watched.server.url, await watched.server.token('driver', 'left'));
    link.say('41');
    await link.untilClosed();
  },
  'a refused peer that does not answer the closing handshake': async () => {
    const link = await RawLink.open(watched.server.url);
    link.goDeaf();
    link.say('9');
    await new Promise((resolve) => setTimeout(resolve, LIMIT_MS));
    link.hearAgain();
    await link.untilClosed();
  },
  'polling without a namespace': async () => {
    const polling = await RawPolling.open(watched.server.url);
    for (;;) {
      const { status, text } = await polling.poll();
      if (status !== 200 || text === '1') return;
    }
  },
  'polling with a refused token': async () => {
    const polling = await RawPolling.open(watched.server.url);
    await polling.post('40{"token":"no"}');
    for (;;) {
      const { status, text } = await polling.poll();
      if (status !== 200 || text === '1') return;
      await polling.post('3');
    }
  },
};

test('whoever does not say who they are is gone after ten seconds, however they do it', async () => {
  const tookMs: Record<string, number> = {};
  const harm = await underAttack(
    watched,
    `${Object.keys(strangers).length} ways to stay unknown, 20 of each`,
    async () => {
      await Promise.all(
        Object.entries(strangers).flatMap(([name, stay]) =>
          Array.from({ length: 20 }, async () => {
            const from = performance.now();
            await stay();
            tookMs[name] = Math.max(tookMs[name] ?? 0, performance.now() - from);
          }),
        ),
      );
    },
  );
  expectHarmless(harm);
  for (const [name, took] of Object.entries(tookMs)) expect(took, name).toBeLessThan(LIMIT_MS + GRACE_MS);
  expect(Object.keys(tookMs).sort()).toEqual(Object.keys(strangers).sort());
}, 60_000);

test('a token that is refused, and then a good one, on one connection', async () => {
  const link = await RawLink.open(watched.server.url);
  link.say('40{"token":"no"}');
  await link.until(() => link.heard.some((text) => text.startsWith('44')));
  link.say(`40${JSON.stringify({ token: await watched.server.token('driver', 'second-try') })}`);
  await link.until(() => link.heard.some((text) => text.startsWith('40')));
  await new Promise((resolve) => setTimeout(resolve, LIMIT_MS + 1_000));
  expect(link.closed).toBe(false);
  link.end();
});

test('a flood of connections leaves one line a second in the log, not one for each', async () => {
  const before = watched.server.output.length;
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const link = await RawLink.open(watched.server.url);
      for (let index = 0; index < 30; index += 1) link.say('3');
      await link.untilClosed();
    }),
  );
  await expect.poll(() => watched.server.output.slice(before)).toMatch(/too many packets/);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const lines = watched.server.output
    .slice(before)
    .split('\n')
    .filter((line) => line.includes('too many packets'));
  expect(lines.length).toBeLessThan(10);
});
