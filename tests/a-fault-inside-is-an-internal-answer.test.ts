import type { ErrorObject } from '@curbline/contract';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

const PRELOAD = fileURLToPath(new URL('harness/planted-throws.mjs', import.meta.url));

let server: TestServer | undefined;
afterEach(() => server?.stop());

/** An answer says nothing of the cause; the log has all of it, under the same id. */
async function expectInternal(
  running: TestServer,
  what: string,
  error: ErrorObject | undefined,
): Promise<void> {
  expect(error, what).toEqual({
    code: 'internal',
    message: expect.any(String),
    retryable: true,
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  await until(`the log has ${what}`, () => running.output.includes(error?.request_id ?? '?'));
}

const commandsFor = (booking_id: string, token: string): [string, Record<string, unknown>][] => [
  ['connection-established', { booking_id }],
  ['booking.join', { booking_id }],
  [
    'message.send',
    { booking_id, client_id: crypto.randomUUID(), kind: 'text', body: { text: 'secret words' } },
  ],
  ['message.list', { booking_id }],
  ['receipt.mark', { booking_id, read_seq: 1 }],
  ['typing.set', { booking_id, typing: true }],
  ['location.share', { booking_id, lat: 1, lng: 2 }],
  ['booking.list', {}],
  ['sync', { bookings: [{ booking_id, after_seq: 0 }] }],
  ['token.refresh', { token }],
];

test('whatever is thrown in any service is an internal answer of every command, and the process lives', async () => {
  const running = await TestServer.start({ NODE_OPTIONS: `--import=${PRELOAD}`, PLANTED: 'services' });
  server = running;
  const { booking_id, driver, customer } = await pair(running);
  const pid = running.pid;
  const token = await running.token('driver', `${booking_id}-driver`);
  const routes: [string, string, object?][] = [
    ['GET', `/v1/bookings/${booking_id}/messages`],
    ['POST', `/v1/bookings/${booking_id}/messages`, { kind: 'system', body: { text: 'hello' } }],
    ['DELETE', `/v1/users/driver/nobody/sessions`],
  ];
  // Errors of the language and of a database driver, thrown and rejected, and things that are no errors at all.
  for (let kind = 0; kind < 5; kind += 1) {
    for (const [command, payload] of commandsFor(booking_id, token)) {
      await expectInternal(running, `${command} ${kind}`, await driver.error(command, payload));
    }
    const before = driver.told('exception').length;
    driver.socket.emit('message.list', { booking_id });
    const hears = () => driver.told<{ error: ErrorObject }>('exception')[before];
    await until('the exception is told', () => hears() !== undefined);
    await expectInternal(running, `exception ${kind}`, hears()?.error);
    for (const [method, path, body] of routes) {
      const answer = await running.rest<ErrorObject>(method, path, body);
      expect(answer.status).toBe(500);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(JSON.stringify(answer.body)).not.toMatch(/planted|SELECT|secret|22021/);
      await until('the log has it', () => running.output.includes(answer.body.request_id));
    }
  }
  expect(JSON.stringify([driver.heard, customer.heard])).not.toMatch(/planted|SELECT|secret/);
  expect(running.output).toContain('planted: SELECT secret FROM somewhere');
  expect(running.output).not.toContain('unhandled rejection');
  expect(running.pid).toBe(pid);
  expect(driver.socket.connected).toBe(true);
  driver.leave();
  customer.leave();
}, 120_000);

test('with its tables gone every command and route answers internal, and works when they are back', async () => {
  const running = await TestServer.start();
  server = running;
  const { booking_id, driver, customer } = await pair(running);
  await driver.send(booking_id, 'before');
  // Not in this node's memory yet, so that every command has to ask.
  const fresh = await running.booking(undefined, { driver: `${booking_id}-driver` });
  const token = await running.token('driver', `${booking_id}-driver`);
  const database = await embeddedClient(running.dataDir);
  const tables = ['bookings', 'participants', 'messages', 'revocations', 'drivers', 'locations'];
  const rename = async (from: string, to: string) => {
    for (const table of tables) await database.query(`ALTER TABLE ${table}${from} RENAME TO ${table}${to}`);
  };
  await rename('', '_gone');
  const other = await Person.connect(running, token).catch((error: unknown) => error);
  await expectInternal(running, 'handshake', (other as { data: { error: ErrorObject } }).data.error);
  for (const [command, payload] of commandsFor(fresh, token)) {
    // Typing keeps nothing: with the booking in memory it needs no table.
    const error = (await driver.ask(command, payload)).error;
    if (error !== undefined || command !== 'typing.set') await expectInternal(running, command, error);
  }
  for (const path of [`/v1/bookings/${booking_id}`, '/v1/bookings']) {
    const answer = await running.rest<ErrorObject>('GET', path);
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/relation|_gone|SELECT/i);
  }
  expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
  await rename('_gone', '');
  await database.end();
  await until(
    'everything works again',
    async () => (await driver.ask('booking.join', { booking_id: fresh })).data !== undefined,
  );
  expect((await driver.send(booking_id, 'after')).message.seq).toBe(2);
  await customer.hears('message.created', ({ message }: { message: { seq: number } }) => message.seq === 2);
  driver.leave();
  customer.leave();
}, 120_000);

test('a booking that cannot be read anew stays as this node knew it', async () => {
  const running = await TestServer.start();
  server = running;
  const { booking_id, driver, customer } = await pair(running);
  await driver.send(booking_id, 'now it is known');
  const database = await embeddedClient(running.dataDir);
  await database.query('ALTER TABLE participants RENAME TO participants_gone');
  const error = await driver.error('sync', { bookings: [{ booking_id, after_seq: 0 }] });
  await expectInternal(running, 'sync', error);
  // Needs no table, and nobody has said anything against it.
  expect(await driver.data('typing.set', { booking_id, typing: true })).toEqual({});
  await customer.hears('typing.updated');
  await database.query('ALTER TABLE participants_gone RENAME TO participants');
  await database.end();
  driver.leave();
  customer.leave();
});
