import type { ConnectionObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

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
