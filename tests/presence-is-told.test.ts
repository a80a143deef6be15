import type { ConnectionObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { RawLink } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';
import { until } from './harness/until.js';

interface Presence {
  booking_id: string;
  user_id: string;
  scope: string;
  online: boolean;
  last_seen_at?: string;
  types: string[];
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const connect = async (scope: 'driver' | 'customer', id: string, type: string) =>
  Person.connect(server, await server.token(scope, id), {
    auth: { token: await server.token(scope, id), type },
  });

test('who connects is online without joining; the last socket that ends says when they were seen', async () => {
  const booking_id = await server.booking();
  const customer = await connect('customer', `${booking_id}-customer`, 'ios');
  const phone = await connect('driver', `${booking_id}-driver`, 'flutter');
  const base = { booking_id, user_id: `${booking_id}-driver`, scope: 'driver' };
  expect(await customer.hears<Presence>('presence.updated')).toEqual({
    ...base,
    online: true,
    types: ['flutter'],
  });
  const page = await connect('driver', `${booking_id}-driver`, 'web');
  expect(await customer.hears<Presence>('presence.updated', ({ types }) => types.length === 2)).toEqual({
    ...base,
    online: true,
    types: ['flutter', 'web'],
  });
  phone.leave();
  expect(
    await customer.hears<Presence>('presence.updated', ({ types }) => types.join() === 'web'),
  ).toMatchObject({ online: true });
  const from = Date.now();
  page.leave();
  const gone = await customer.hears<Presence>('presence.updated', ({ online }) => !online);
  expect(Date.now() - from).toBeLessThan(10_000);
  expect(gone).toEqual({ ...base, online: false, types: [], last_seen_at: expect.any(String) });
  expect(Math.abs(Date.parse(gone.last_seen_at ?? '') - from)).toBeLessThan(10_000);
  expect(customer.told<Presence>('presence.updated').map(({ online }) => online)).toEqual([
    true,
    true,
    true,
    false,
  ]);

  const joined = await customer.data<ConnectionObject>('booking.join', { booking_id });
  expect(joined.counterpart).toMatchObject({ online: false, last_seen_at: gone.last_seen_at });
  const { bookings } = await customer.data<{ bookings: { presence: Presence[] }[] }>('sync', {
    bookings: [{ booking_id, after_seq: 0 }],
  });
  expect(bookings[0]?.presence).toEqual(
    expect.arrayContaining([
      { user_id: `${booking_id}-customer`, scope: 'customer', online: true, types: ['ios'] },
      {
        user_id: `${booking_id}-driver`,
        scope: 'driver',
        online: false,
        types: [],
        last_seen_at: gone.last_seen_at,
      },
    ]),
  );
  customer.leave();
});

test('whoever may be back in a moment is online as they were, and a token names them before they join', async () => {
  const booking_id = await server.booking();
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { driver: { id: `${booking_id}-driver` } });
  const claims = { sub: `${booking_id}-driver`, scope: 'driver', name: 'Named by the token' };
  const token = jwt({ ...claims, exp: nowS() + 600 }, (await server.keys()).token_secret);
  const driver = await Person.connect(server, token, { auth: { token, type: 'flutter' } });
  const customer = await connect('customer', `${booking_id}-customer`, 'ios');
  await until('the name is known', async () => {
    const { user_detail } = await customer.data<ConnectionObject>('booking.join', { booking_id });
    return user_detail.name === 'Named by the token';
  });
  driver.leave();
  const { bookings } = await customer.data<{ bookings: { presence: Presence[] }[] }>('sync', {
    bookings: [{ booking_id, after_seq: 0 }],
  });
  expect(bookings[0]?.presence.find(({ scope }) => scope === 'driver')).toMatchObject({
    online: true,
    types: ['flutter'],
  });
  await customer.hears<Presence>('presence.updated', ({ online }) => !online);
  customer.leave();
});

test('a connection that is cut without a word is told within ten seconds', async () => {
  const booking_id = await server.booking();
  const customer = await connect('customer', `${booking_id}-customer`, 'ios');
  const cuts: [string, (link: RawLink) => unknown][] = [
    ['closed', (link) => link.tcp.destroy()],
    ['reset', (link) => link.tcp.resetAndDestroy()],
  ];
  for (const [how, cut] of cuts) {
    const link = await RawLink.open(server.url, await server.token('driver', `${booking_id}-driver`));
    await customer.hears<Presence>('presence.updated', ({ online }) => online);
    customer.heard.length = 0;
    const from = performance.now();
    cut(link);
    await customer.hears<Presence>('presence.updated', ({ online }) => !online);
    expect(performance.now() - from, how).toBeLessThan(10_000);
    customer.heard.length = 0;
  }
  customer.leave();
});

test('a page that is loaded again was never gone', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await customer.hears<Presence>('presence.updated', ({ online }) => online).catch(() => undefined);
  const before = customer.told('presence.updated').length;
  driver.leave();
  const again = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
  await again.send(booking_id, 'back');
  await customer.hears('message.created');
  expect(customer.told<Presence>('presence.updated').slice(before)).toEqual([]);
  again.leave();
  customer.leave();
});

test('presence goes to the participants of open bookings, and to nobody else', async () => {
  const driver_id = `d-${crypto.randomUUID()}`;
  const open = await server.booking(undefined, { driver: driver_id });
  const closed = await server.booking(undefined, { driver: driver_id, status: 'pending' });
  const lost = await server.booking(undefined, { driver: driver_id });
  await server.rest('PATCH', `/v1/bookings/${lost}`, { driver: { id: 'someone else' } });
  const listeners = await Promise.all(
    [open, closed, lost].map((id) => connect('customer', `${id}-customer`, 'test')),
  );
  const stranger = await connect('customer', 'a stranger', 'test');
  const driver = await connect('driver', driver_id, 'test');
  await listeners[0]?.hears<Presence>(
    'presence.updated',
    ({ booking_id, online }) => booking_id === open && online,
  );
  // A word to each of the others comes after everything that was told before.
  for (const id of [closed, lost]) await server.rest('PATCH', `/v1/bookings/${id}`, { status: 'arriving' });
  for (const listener of listeners.slice(1)) {
    await listener.hears('booking.updated');
    expect(listener.told('presence.updated')).toEqual([]);
  }
  expect(stranger.heard).toEqual([]);
  for (const person of [...listeners, stranger, driver]) person.leave();
});

test('an open booking hears of its driver however many newer ones have ended', async () => {
  const driver_id = `d-${crypto.randomUUID()}`;
  const open = await server.booking(undefined, { driver: driver_id });
  for (let n = 0; n < 55; n += 1) await server.booking(undefined, { driver: driver_id, status: 'pending' });
  const customer = await connect('customer', `${open}-customer`, 'test');
  const driver = await connect('driver', driver_id, 'test');
  const told = await customer.hears<Presence>('presence.updated');
  expect(told).toMatchObject({ booking_id: open, user_id: driver_id, online: true });
  driver.leave();
  customer.leave();
});

test('what could not be told while the store was away is told when it is back', async () => {
  const booking_id = await server.booking();
  const customer = await connect('customer', `${booking_id}-customer`, 'test');
  const token = await server.token('driver', `${booking_id}-driver`);
  const database = await embeddedClient(server.dataDir);
  // Handshakes work, and whoever asks for seats waits until the statement times out.
  await database.query('BEGIN; LOCK TABLE participants IN ACCESS EXCLUSIVE MODE');
  const driver = await Person.connect(server, token);
  await until('it failed once', () => server.output.includes('presence is told again'));
  await database.query('ROLLBACK');
  await database.end();
  await customer.hears<Presence>('presence.updated', ({ online }) => online);
  driver.leave();
  customer.leave();
});

/** When the other party was last seen, as somebody who joins is told. */
async function lastSeen(booking_id: string): Promise<number> {
  const customer = await connect('customer', `${booking_id}-customer`, 'test');
  const { counterpart } = await customer.data<ConnectionObject>('booking.join', { booking_id });
  customer.leave();
  expect(counterpart.online).toBe(false);
  return Date.parse(counterpart.last_seen_at ?? '');
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'who was connected when the process ended by %s was last seen then',
  async (signal) => {
    const booking_id = await server.booking();
    const from = Date.now();
    const driver = await connect('driver', `${booking_id}-driver`, 'test');
    const database = await embeddedClient(server.dataDir);
    await until('the coming is kept', async () => {
      const { rows } = await database.query(
        'SELECT 1 FROM drivers WHERE id = $1 AND last_seen_at IS NOT NULL',
        [`${booking_id}-driver`],
      );
      return rows.length === 1;
    });
    await database.end();
    const endedAt = Date.now();
    await server.kill(signal);
    driver.leave();
    await server.up();
    const seen = await lastSeen(booking_id);
    // A process that is killed has written when they came, and no more.
    expect(seen).toBeGreaterThanOrEqual(signal === 'SIGTERM' ? endedAt : from);
    expect(seen).toBeLessThan(Date.now());
  },
);

test('of a driver with many open bookings, the customer of the oldest hears too', async () => {
  const driver = `d-${crypto.randomUUID()}`;
  const oldest = await server.booking(undefined, { driver });
  for (let n = 0; n < 60; n += 1) await server.booking(undefined, { driver });
  const customer = await connect('customer', `${oldest}-customer`, 'ios');
  const phone = await connect('driver', driver, 'flutter');
  expect(await customer.hears<Presence>('presence.updated')).toMatchObject({
    booking_id: oldest,
    online: true,
  });
  phone.leave();
  customer.leave();
});
