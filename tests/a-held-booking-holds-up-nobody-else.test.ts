import type { MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, type Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

/** What the contract promises, and what a loaded test machine adds. */
const WITHIN_MS = 2_000 + 500;
const BACK_WITHIN_MS = 3_000 + 1_000;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const text = (booking_id: string, words: string) => ({
  booking_id,
  client_id: crypto.randomUUID(),
  kind: 'text',
  body: { text: words },
});
const ready = async () => (await fetch(`${server.url}/health/ready`)).status;

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const from = performance.now();
  const result = await work;
  return { result, ms: performance.now() - from };
}

test('while somebody holds the row of one booking, its senders hear unavailable and all others are served', async () => {
  const [held, free] = [await pair(server), await pair(server)];
  const database = await embeddedClient(server.dataDir);
  const send = (person: Person, booking_id: string, words: string) =>
    timed(person.ask<{ message: MessageObject }>('message.send', text(booking_id, words)));
  try {
    await database.query('BEGIN');
    await database.query('SELECT 1 FROM bookings WHERE id = $1 FOR UPDATE', [held.booking_id]);
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([
        send(held.driver, held.booking_id, `held ${round}`),
        ...Array.from({ length: 5 }, (_, index) =>
          send(free.driver, free.booking_id, `free ${round}.${index}`),
        ),
      ]);
      const [stuck, ...served] = answers;
      expect(stuck?.result.error).toMatchObject({ code: 'unavailable', retryable: true });
      for (const { result } of served) expect(result.error).toBeUndefined();
      for (const { ms } of answers) expect(ms).toBeLessThan(WITHIN_MS);
    }
  } finally {
    await database.query('ROLLBACK');
    await database.end();
  }
  const after = await send(held.driver, held.booking_id, 'free again');
  expect(after.result.data?.message.seq).toBe(1);
  for (const person of [held.driver, held.customer, free.driver, free.customer]) person.leave();
});

test('a node whose store answers but cannot keep a message says that it is not ready, and is back by itself', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const database = await embeddedClient(server.dataDir);
  await until('the node is ready', async () => (await ready()) === 200);
  await database.query('BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE');
  const { error } = await driver.ask('message.send', text(booking_id, 'no room'));
  expect(error?.code).toBe('unavailable');
  expect(await ready()).toBe(503);
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  const healed = performance.now();
  await database.query('ROLLBACK');
  await database.end();
  await until('the node is ready again', async () => (await ready()) === 200);
  expect(performance.now() - healed).toBeLessThan(BACK_WITHIN_MS);
  await driver.send(booking_id, 'room again');
  for (const person of [driver, customer]) person.leave();
});
