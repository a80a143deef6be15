import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverProcesses } from './harness/embedded-ground.js';
import { frame, RawLink } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';

const DRIVERS = 40;
const EACH = 1_000;
const LIMIT_MS = 60_000;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const sends = (bookingId: string, from: number, count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      frame(
        `42${from + index}["message.send",${JSON.stringify({
          booking_id: bookingId,
          client_id: crypto.randomUUID(),
          kind: 'text',
          body: { text: `number ${from + index}` },
        })}]`,
      ),
    ),
  );

const answersOf = (link: RawLink) => link.heard.filter((text) => text.startsWith('43'));
const isStored = (text: string) => text.includes('[{"data":');

/** Drivers who have each sent one message, and will send a thousand more without waiting. */
const drivers = async (each = EACH) =>
  Promise.all(
    Array.from({ length: DRIVERS }, async () => {
      const bookingId = await server.booking();
      const link = await RawLink.open(server.url, await server.token('driver', `${bookingId}-driver`));
      await link.write(sends(bookingId, 0, 1));
      await link.until(() => answersOf(link).length === 1);
      return { bookingId, link, messages: sends(bookingId, 1, each) };
    }),
  );

test('twice as many messages as the server takes in wait in the network: each is stored, none is refused', async () => {
  const senders = await drivers();
  await Promise.all(senders.map(({ link, messages }) => link.write(messages)));
  for (const { link } of senders) {
    await link.until(() => answersOf(link).length === 1 + EACH, LIMIT_MS);
    expect(answersOf(link).filter((text) => !isStored(text))).toEqual([]);
    const seqs = answersOf(link).map((text) => Number(/"seq":(\d+)/.exec(text)?.[1]));
    expect(seqs).toEqual(Array.from({ length: 1 + EACH }, (_, index) => index + 1));
    link.end();
  }
}, 120_000);

test.each([
  // Two seconds by the contract, and what a busy machine adds; those who were left unread until the store is given up would wait for longer.
  { each: 300, withinMs: 3_000 },
  { each: EACH, withinMs: 8_000 },
])(
  '$each of each hear `unavailable` within $withinMs ms where the store hangs, and are served when it goes on',
  async ({ each, withinMs }) => {
    const senders = await drivers(each);
    const processes = serverProcesses(join(server.dataDir, 'postgres/cluster'));
    expect(processes.length).toBeGreaterThan(3);
    const signal = (name: NodeJS.Signals) => {
      for (const pid of processes) process.kill(pid, name);
    };
    signal('SIGSTOP');
    try {
      await Promise.all(senders.map(({ link, messages }) => link.write(messages)));
      await Promise.all(
        senders.map(({ link }) => link.until(() => answersOf(link).length === 1 + each, withinMs)),
      );
    } finally {
      signal('SIGCONT');
    }
    for (const { link } of senders)
      expect(answersOf(link).filter((text) => text.includes('"code":"unavailable"')).length).toBe(each);
    const [first] = senders;
    if (!first) throw new Error('there are drivers');
    await sleep(3_000);
    await first.link.write(sends(first.bookingId, 1 + each, 1));
    await first.link.until(() => answersOf(first.link).length === 2 + each);
    expect(isStored(answersOf(first.link).at(-1) ?? '')).toBe(true);
    for (const { link } of senders) link.end();
  },
  60_000,
);
