import { afterAll, beforeAll, expect, test } from 'vitest';
import { BadLine } from './harness/bad-line.js';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

/** What is promised with the heartbeats that a server has by itself. */
const LIMIT_MS = 30_000;

let server: TestServer;
let line: BadLine;
beforeAll(async () => {
  server = await TestServer.start();
  line = await BadLine.to(server.url);
});
afterAll(async () => {
  await line.close();
  await server.stop();
});

interface Presence {
  booking_id: string;
  online: boolean;
}

test('a phone in a tunnel, from which nothing comes and to which nothing goes, is offline within half a minute', async () => {
  const vanishing = (['websocket', 'polling'] as const).map(async (transport) => {
    const booking_id = await server.booking();
    const customer = await Person.connect(server, await server.token('customer', `${booking_id}-customer`));
    const token = await server.token('driver', `${booking_id}-driver`);
    const driver = await Person.connect(line, token, { transports: [transport] });
    await customer.hears<Presence>('presence.updated', ({ online }) => online);
    return { booking_id, customer, driver };
  });
  const pairs = await Promise.all(vanishing);
  line.fallSilent();
  const from = performance.now();
  await Promise.all(
    pairs.map(({ customer }) =>
      customer.hears<Presence>('presence.updated', ({ online }) => !online, LIMIT_MS),
    ),
  );
  // Nobody is taken for gone who is only quiet: honest silence lasts as long as the heartbeat's interval.
  expect(performance.now() - from).toBeGreaterThan(9_000);
  for (const { customer } of pairs) expect(customer.socket.connected).toBe(true);
  for (const { customer, driver } of pairs) {
    customer.leave();
    driver.leave();
  }
}, 60_000);
