import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair } from './harness/people.js';
import { TestServer } from './harness/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

test('SIGTERM tells every socket, answers what runs, closes so that clients come back, and exits with 0 in time', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.data('booking.join', { booking_id });
  const reasons = Promise.all(
    [driver, customer].map(
      (person) => new Promise<string>((resolve) => person.socket.once('disconnect', resolve)),
    ),
  );
  // A stream of sends runs while the signal comes: each is answered with data, or refused as nothing kept.
  const sends = Array.from({ length: 40 }, (_, index) =>
    driver.ask<{ message: { seq: number } }>('message.send', {
      booking_id,
      client_id: crypto.randomUUID(),
      kind: 'text',
      body: { text: `on the way ${index}` },
    }),
  );
  await Promise.race(sends);
  const started = performance.now();
  const code = await server.kill('SIGTERM');
  expect(code).toBe(0);
  expect(performance.now() - started).toBeLessThan(10_000);

  for (const person of [driver, customer]) {
    expect(person.told('disconnected')).toEqual([
      { reason: 'shutting_down', message: 'Socket disconnected', retry_after_ms: expect.any(Number) },
    ]);
  }
  // `io server disconnect` would tell a client to stay away.
  for (const reason of await reasons) expect(reason).toBe('transport close');

  const answers = await Promise.all(sends);
  const acked = answers.flatMap((answer) => (answer.data ? [answer.data.message.seq] : []));
  for (const { error } of answers) if (error) expect(error.code).toBe('unavailable');

  await server.up();
  const history = await server.rest<{ data: { seq: number }[] }>(
    'GET',
    `/v1/bookings/${booking_id}/messages?limit=200`,
  );
  const stored = history.body.data.map((message) => message.seq);
  expect(stored).toEqual(expect.arrayContaining(acked));
  expect(stored).toEqual(stored.map((_, index) => index + 1));
});

test('while it drains nobody is let in', async () => {
  const { driver } = await pair(server);
  const ended = server.kill('SIGTERM');
  await driver.hears('disconnected');
  // Refused, or the port is closed already.
  const letIn = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`).then(
    (answer) => answer.ok,
    () => false,
  );
  expect(letIn).toBe(false);
  expect(await ended).toBe(0);
});
