import { createClient, type ChatClient, type ClientOptions } from '@curbline/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BadLine } from './harness/bad-line.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

let server: TestServer;
const clients: ChatClient[] = [];
const lines: BadLine[] = [];

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(lines.map((line) => line.close()));
  await server.stop();
});

const open = async (
  id: string,
  scope: 'driver' | 'customer',
  url: string,
  options: Partial<ClientOptions> = {},
) => {
  const token = await server.token(scope, `${id}-${scope}`);
  const chat = createClient({ url, token, outbox: 'memory', reconnectMs: { min: 10, max: 100 }, ...options });
  clients.push(chat);
  return chat;
};

const line = async (bytesUntilCut?: () => number): Promise<BadLine> => {
  const made = await BadLine.to(server.url, bytesUntilCut);
  lines.push(made);
  return made;
};

/** Numbers that look random and are the same in each run. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

const SAID = 120;

test.each([
  ['websocket', 20_260_115, 6_000],
  ['polling', 20_260_116, 12_000],
] as const)(
  'over %s that is cut at any byte, every message arrives once, in order',
  async (transport, seed, bytes) => {
    const random = seeded(seed);
    // From the middle of a handshake to some dozens of messages.
    const bad = await line(() => 300 + Math.floor(random() * bytes));
    const id = await server.booking();
    const options = { transports: [transport], ackTimeoutMs: 3_000 };
    const driver = (await open(id, 'driver', bad.url, options)).booking(id);
    const customer = (await open(id, 'customer', bad.url, options)).booking(id);
    const told: { driver: string[]; customer: string[] } = { driver: [], customer: [] };
    driver.on('message.created', ({ body }) => told.driver.push((body as { text: string }).text));
    customer.on('message.created', ({ body }) => told.customer.push((body as { text: string }).text));
    await Promise.all([driver.join({ after_seq: 0 }), customer.join({ after_seq: 0 })]);
    const sent = Array.from({ length: SAID }, (_, index) => [
      driver.send({ text: `d${index}` }),
      customer.send({ text: `c${index}` }),
    ]).flat();
    await Promise.all(sent);
    await until(
      'both have all',
      () => told.driver.length === 2 * SAID && told.customer.length === 2 * SAID,
      30_000,
    );
    expect(told.driver).toEqual(told.customer);
    for (const who of ['d', 'c']) {
      expect(told.driver.filter((text) => text.startsWith(who))).toEqual(
        Array.from({ length: SAID }, (_, index) => `${who}${index}`),
      );
    }
    expect(driver.messages.every(({ state }) => state !== 'queued' && state !== 'failed')).toBe(true);
    expect(bad.cuts).toBeGreaterThan(5);
  },
  120_000,
);

test('a line that falls silent is given up after the ack timeout, and nothing is doubled', async () => {
  const bad = await line();
  const id = await server.booking();
  const chat = await open(id, 'driver', bad.url, { ackTimeoutMs: 1_000 });
  const driver = chat.booking(id);
  await driver.join();
  await driver.send({ text: 'before' });
  bad.fallSilent();
  const into = driver.send({ text: 'into the tunnel' });
  await until('the silence is noticed', () => chat.state === 'offline', 5_000);
  expect(driver.messages.at(-1)?.state).toBe('queued');
  bad.recover();
  await expect(into).resolves.toMatchObject({ message: { seq: 2 } });
  expect((await driver.list()).messages.map(({ seq }) => seq)).toEqual([1, 2]);
}, 30_000);
