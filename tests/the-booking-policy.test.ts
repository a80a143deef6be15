import type { BookingView, ErrorObject, MessageObject } from '@curbline/contract';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

interface Updated {
  booking_id: string;
  status: string;
  chat: string;
  closes_at?: string;
}

const GRACE_S = 2;
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ CURBLINE_GRACE_S: `${GRACE_S}` });
});
afterAll(() => server.stop());

const patch = async (to: TestServer, booking_id: string, change: object) =>
  (await to.rest<BookingView>('PATCH', `/v1/bookings/${booking_id}`, change)).body;
const send = (booking_id: string, client_id: string = crypto.randomUUID()) =>
  ['message.send', { booking_id, client_id, kind: 'text', body: { text: 'hello' } }] as const;
const writing = (booking_id: string) =>
  [
    send(booking_id),
    ['typing.set', { booking_id, typing: true }],
    ['location.share', { booking_id, lat: 1, lng: 2 }],
  ] as const;
const reading = (booking_id: string) =>
  [
    ['booking.join', { booking_id }],
    ['connection-established', { booking_id }],
    ['message.list', { booking_id }],
    ['receipt.mark', { booking_id, read_seq: 1 }],
  ] as const;

/** Every command of the list is answered as the chat's state says. */
async function expectAnswers(
  person: Person,
  commands: readonly (readonly [string, object])[],
  code: string | undefined,
) {
  for (const [command, payload] of commands) {
    const { error } = await person.ask(command, payload);
    expect(error?.code, command).toBe(code);
  }
}

test.each(['accepted', 'arriving', 'arrived', 'in_progress'])(
  'in %s both may write and read',
  async (status) => {
    const { booking_id, driver, customer } = await pair(server);
    expect(await patch(server, booking_id, { status })).toMatchObject({ status, chat: 'open' });
    for (const person of [driver, customer]) {
      await expectAnswers(person, [...reading(booking_id), ...writing(booking_id)], undefined);
      person.leave();
    }
  },
);

test('in pending, and without a driver, every command is chat_closed, joining included', async () => {
  const { booking_id, driver, customer } = await pair(server);
  expect(await patch(server, booking_id, { status: 'pending' })).toMatchObject({ chat: 'closed' });
  for (const person of [driver, customer]) {
    await expectAnswers(person, [...reading(booking_id), ...writing(booking_id)], 'chat_closed');
    const error = await person.error('booking.join', { booking_id });
    expect(error.details).toEqual({ status: 'pending', chat: 'closed' });
    const { bookings } = await person.data<{ bookings: { booking_id: string; error: ErrorObject }[] }>(
      'sync',
      {
        bookings: [{ booking_id, after_seq: 0 }],
      },
    );
    expect(bookings).toEqual([{ booking_id, error: expect.objectContaining({ code: 'chat_closed' }) }]);
  }
  expect(await patch(server, booking_id, { status: 'accepted', driver: null })).toMatchObject({
    chat: 'closed',
  });
  await expectAnswers(customer, [...reading(booking_id), ...writing(booking_id)], 'chat_closed');
  await expectAnswers(driver, [...reading(booking_id), ...writing(booking_id)], 'not_found');
  driver.leave();
  customer.leave();
});

test('a closing status leaves the chat open until closes_at, then it can be read only', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const repeated = crypto.randomUUID();
  await driver.data(...send(booking_id, repeated));
  await driver.data('location.share', { booking_id, lat: 1, lng: 2 });
  const from = Date.now();
  const completed = await patch(server, booking_id, { status: 'completed' });
  expect(completed).toMatchObject({ status: 'completed', chat: 'open', closes_at: expect.any(String) });
  const closes_at = completed.closes_at ?? '';
  expect(Math.abs(Date.parse(closes_at) - from - GRACE_S * 1_000)).toBeLessThan(1_500);
  for (const person of [driver, customer]) {
    expect(await person.hears('booking.updated')).toEqual({
      booking_id,
      status: 'completed',
      chat: 'open',
      closes_at,
    });
  }

  // Until the line everything is kept, after it nothing: whatever the moment of each send.
  for (;;) {
    const { data, error } = await driver.ask<{ message: MessageObject }>(...send(booking_id));
    if (data) {
      expect(data.message.created_at < closes_at).toBe(true);
      continue;
    }
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(closes_at));
    expect(error).toMatchObject({
      code: 'chat_closed',
      details: { status: 'completed', chat: 'read_only', closed_at: closes_at },
    });
    break;
  }
  for (const person of [driver, customer]) {
    const told = await person.hears<Updated>('booking.updated', (event) => event.chat === 'read_only');
    expect(told).toEqual({ booking_id, status: 'completed', chat: 'read_only', closes_at });
    await expectAnswers(person, reading(booking_id), undefined);
    await expectAnswers(person, writing(booking_id), 'chat_closed');
  }
  expect(await driver.data(...send(booking_id, repeated))).toMatchObject({
    duplicate: true,
    message: { seq: 1 },
  });
  const { bookings } = await customer.data<{ bookings: { locations: unknown[] }[] }>('sync', {
    bookings: [{ booking_id, after_seq: 0 }],
  });
  expect(bookings).toMatchObject([{ chat: 'read_only', closes_at, locations: [] }]);

  // The first closing status has set the time; another one keeps it.
  expect((await patch(server, booking_id, { status: 'cancelled' })).closes_at).toBe(closes_at);
  expect((await patch(server, booking_id, { status: 'pending' })).closes_at, 'not opened').toBe(closes_at);
  expect((await patch(server, booking_id, { status: 'completed' })).closes_at).toBe(closes_at);
  const reopened = await patch(server, booking_id, { status: 'in_progress' });
  expect(reopened).toMatchObject({ chat: 'open' });
  expect(reopened).not.toHaveProperty('closes_at');
  await customer.hears<Updated>('booking.updated', (event) => event.status === 'in_progress');
  await expectAnswers(customer, writing(booking_id), undefined);
  const again = await patch(server, booking_id, { status: 'cancelled' });
  expect((again.closes_at ?? '') > closes_at).toBe(true);
  driver.leave();
  customer.leave();
});

test('a closing that could not be told at once is told when the store is back', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const database = await embeddedClient(server.dataDir);
  await patch(server, booking_id, { status: 'completed' });
  await database.query('ALTER TABLE locations RENAME TO locations_gone');
  await until('the closing failed once', () => server.output.includes('chats that close: tried again later'));
  await database.query('ALTER TABLE locations_gone RENAME TO locations');
  await database.end();
  for (const person of [driver, customer]) {
    await person.hears<Updated>('booking.updated', (event) => event.chat === 'read_only');
    person.leave();
  }
});

describe('other settings', () => {
  let other: TestServer | undefined;
  const folders: string[] = [];
  afterEach(async () => {
    await other?.stop();
    other = undefined;
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  const fileWith = async (content: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'curbline-policy-'));
    folders.push(folder);
    await writeFile(join(folder, 'policy.json'), content);
    return join(folder, 'policy.json');
  };

  test('a policy file replaces the table: other words, other rights for each role', async () => {
    const policy = {
      statuses: {
        searching: { driver: 'none', customer: 'none' },
        broadcast: { driver: 'send', customer: 'read' },
        riding: { driver: 'send', customer: 'send' },
        over: { driver: 'read', customer: 'none', closing: true },
      },
    };
    const running = await TestServer.start({ CURBLINE_POLICY_FILE: await fileWith(JSON.stringify(policy)) });
    other = running;
    const refused = await running.rest<ErrorObject>('PUT', '/v1/bookings/x', {
      driver: null,
      customer: { id: 'c' },
      status: 'accepted',
    });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body.details)).toContain('searching, broadcast, riding, over');

    const booking_id = await running.booking(undefined, { status: 'riding' });
    const [driver, customer] = await Promise.all(
      (['driver', 'customer'] as const).map(async (scope) =>
        Person.connect(running, await running.token(scope, `${booking_id}-${scope}`)),
      ),
    );
    if (!driver || !customer) throw new Error('both connect');
    await expectAnswers(customer, writing(booking_id), undefined);
    await patch(running, booking_id, { status: 'broadcast' });
    expect(
      await driver.hears<Updated>('booking.updated', (event) => event.status === 'broadcast'),
    ).toMatchObject({ chat: 'open' });
    expect(
      await customer.hears<Updated>('booking.updated', (event) => event.status === 'broadcast'),
    ).toMatchObject({ chat: 'read_only' });
    await expectAnswers(driver, [...reading(booking_id), ...writing(booking_id)], undefined);
    await expectAnswers(customer, reading(booking_id), undefined);
    await expectAnswers(customer, writing(booking_id), 'chat_closed');
    await patch(running, booking_id, { status: 'over' });
    await expectAnswers(driver, reading(booking_id), undefined);
    await expectAnswers(driver, writing(booking_id), 'chat_closed');
    await expectAnswers(customer, reading(booking_id), 'chat_closed');
    driver.leave();
    customer.leave();
  }, 120_000);

  test('a policy file that is none stops the start with a sentence that names the setting', async () => {
    const wrong = ['{', '{"statuses":{"a":{"driver":"write","customer":"read"}}}'];
    const files = [...(await Promise.all(wrong.map(fileWith))), '/no/such/file'];
    const starts = files.map((file) =>
      expect(TestServer.start({ CURBLINE_POLICY_FILE: file }), file).rejects.toThrow(/CURBLINE_POLICY_FILE/),
    );
    await Promise.all(starts);
  }, 120_000);

  test('after the retention period the chat is closed and the bodies are gone, the log stays whole', async () => {
    const env: Record<string, string> = { CURBLINE_GRACE_S: '0' };
    const running = await TestServer.start(env);
    other = running;
    const { booking_id, driver, customer } = await pair(running);
    const open = await running.booking(undefined, { driver: `${booking_id}-driver` });
    await driver.send(booking_id, 'my door code is 4711');
    await customer.send(booking_id, 'thanks');
    await patch(running, booking_id, { status: 'completed' });
    driver.leave();
    customer.leave();
    await running.kill('SIGTERM');
    env['CURBLINE_RETENTION_DAYS'] = '0';
    await running.up();
    const path = `/v1/bookings/${booking_id}`;
    await expect
      .poll(
        async () =>
          (await running.rest<{ data: MessageObject[] }>('GET', `${path}/messages`)).body.data.map(
            (message) => [message.seq, message.body],
          ),
        { timeout: 15_000 },
      )
      .toEqual([
        [1, { erased: true }],
        [2, { erased: true }],
      ]);
    expect((await running.rest<BookingView>('GET', path)).body).toMatchObject({
      status: 'completed',
      chat: 'closed',
      last_seq: 2,
    });
    const back = await Person.connect(running, await running.token('driver', `${booking_id}-driver`));
    // However short the retention is: a ride that goes on is not over.
    await expectAnswers(back, [...reading(open), ...writing(open)], undefined);
    await expectAnswers(back, [...reading(booking_id), ...writing(booking_id)], 'chat_closed');
    const host = await running.rest('POST', `${path}/messages`, { kind: 'system', body: { text: 'late' } });
    expect(host).toMatchObject({ status: 409, body: { code: 'chat_closed', details: { chat: 'closed' } } });
    // One that closes while the server runs does not wait for its next sweep.
    await back.send(open, 'at the door');
    await patch(running, open, { status: 'cancelled' });
    await expect
      .poll(
        async () =>
          (
            await running.rest<{ data: MessageObject[] }>('GET', `/v1/bookings/${open}/messages`)
          ).body.data.map(({ body }) => body),
        { timeout: 15_000 },
      )
      .toSatisfy((bodies: object[]) => bodies.length > 0 && bodies.every((body) => 'erased' in body));
    back.leave();
  }, 120_000);
});

test('changes of one booking at once are told in the order in which they were made', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const words = ['arriving', 'arrived', 'in_progress'];
  await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      server.rest('PATCH', `/v1/bookings/${booking_id}`, { status: words[n % 3] }),
    ),
  );
  const { body } = await server.rest<BookingView>('GET', `/v1/bookings/${booking_id}`);
  await customer.send(booking_id, 'after them all');
  await driver.hears('message.created');
  const told = driver.told<{ status: string }>('booking.updated').map(({ status }) => status);
  expect(told.at(-1)).toBe(body.status);
  driver.leave();
  customer.leave();
});
