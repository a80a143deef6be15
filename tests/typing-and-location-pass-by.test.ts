import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const countOf = (person: Person, name: string) => person.told(name).length;

test('typing is told to the other party only, and ends by itself after six seconds', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const tablet = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
  const from = performance.now();
  expect(await driver.data('typing.set', { booking_id, typing: true })).toEqual({});
  const event = { booking_id, user_id: `${booking_id}-driver`, scope: 'driver' };
  expect(await customer.hears('typing.updated')).toEqual({ ...event, typing: true });
  expect(await customer.hears<{ typing: boolean }>('typing.updated', ({ typing }) => !typing)).toEqual({
    ...event,
    typing: false,
  });
  const tookMs = performance.now() - from;
  expect(tookMs).toBeGreaterThan(5_800);
  expect(tookMs).toBeLessThan(9_000);
  expect(countOf(customer, 'typing.updated')).toBe(2);
  expect(countOf(driver, 'typing.updated') + countOf(tablet, 'typing.updated')).toBe(0);
  for (const person of [driver, customer, tablet]) person.leave();
});

test('typing ends for the customer when the driver who types has lost the seat, and nobody else hears of it', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.data('typing.set', { booking_id, typing: true });
  await customer.hears('typing.updated');
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { driver: { id: `${booking_id}-next` } });
  const next = await Person.connect(server, await server.token('driver', `${booking_id}-next`));
  const ended = await customer.hears<{ typing: boolean }>('typing.updated', ({ typing }) => !typing);
  expect(ended).toMatchObject({ user_id: `${booking_id}-driver`, typing: false });
  expect(countOf(driver, 'typing.updated') + countOf(next, 'typing.updated')).toBe(0);
  for (const person of [driver, customer, next]) person.leave();
});

test('typing that is taken back is told at once, and repeats are not told each time', async () => {
  const { booking_id, driver, customer } = await pair(server);
  for (let n = 0; n < 5; n += 1) await driver.data('typing.set', { booking_id, typing: true });
  await driver.data('typing.set', { booking_id, typing: false });
  await driver.data('typing.set', { booking_id, typing: false });
  await driver.send(booking_id, 'and sent');
  await customer.hears('message.created');
  expect(customer.told<{ typing: boolean }>('typing.updated').map(({ typing }) => typing)).toEqual([
    true,
    false,
  ]);
  // Nothing of it is in the log.
  const { messages } = await customer.data<{ messages: unknown[] }>('message.list', { booking_id });
  expect(messages).toHaveLength(1);
  driver.leave();
  customer.leave();
});

test('typing that flickers is told once in two seconds, and at their end when it goes on', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const heardAtMs: number[] = [];
  customer.socket.on('typing.updated', ({ typing }) => void (typing && heardAtMs.push(performance.now())));
  const type = (typing: boolean) => driver.data('typing.set', { booking_id, typing });
  const from = performance.now();
  for (let n = 0; n < 20; n += 1) {
    await type(true);
    await type(false);
  }
  // That took no two seconds, or the count would say nothing.
  expect(performance.now() - from).toBeLessThan(2_000);
  await type(true);
  const told = () => customer.told<{ typing: boolean }>('typing.updated').map(({ typing }) => typing);
  await until('it is told that typing goes on', () => told().length === 3);
  expect(told()).toEqual([true, false, true]);
  // Two clocks and two ways: the events may come a little closer than they were told.
  expect((heardAtMs[1] ?? 0) - (heardAtMs[0] ?? 0)).toBeGreaterThan(1_800);
  await until('it ends by itself', () => told().length === 4);
  driver.leave();
  customer.leave();
});

test('a position that cannot be kept is no success, neither the first nor those behind it', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const share = (lat: number) => driver.ask('location.share', { booking_id, lat, lng: 0 });
  expect((await share(0)).data).toEqual({});
  await customer.hears('location.updated');
  const database = await embeddedClient(server.dataDir);
  await database.query('ALTER TABLE locations RENAME TO locations_gone');
  await until('a position is tried', async () => (await share(1)).error !== undefined);
  const answers = await Promise.all([share(2), share(3), share(4)]);
  for (const { error } of answers) expect(error?.code).toBe('internal');
  await database.query('ALTER TABLE locations_gone RENAME TO locations');
  await database.end();
  expect((await share(5)).data).toEqual({});
  await customer.hears<{ lat: number }>('location.updated', ({ lat }) => lat === 5);
  driver.leave();
  customer.leave();
});

test('a position is told, kept as the last one, thinned out to one a second, and not in the log', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const tablet = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
  const share = (lat: number, more: object = {}) =>
    driver.data('location.share', { booking_id, lat, lng: -0.5, ...more });
  const kept = async () => {
    const { bookings } = await customer.data<{
      bookings: { locations: { lat: number }[]; last_seq: number }[];
    }>('sync', {
      bookings: [{ booking_id, after_seq: 0 }],
    });
    expect(bookings[0]?.last_seq).toBe(0);
    expect(bookings[0]?.locations).toHaveLength(1);
    return bookings[0]?.locations[0]?.lat;
  };
  expect(await share(1, { heading: 90, speed: 8.3, accuracy: 5 })).toEqual({});
  const first = await customer.hears<{ at: string }>('location.updated');
  expect(first).toEqual({
    booking_id,
    user_id: `${booking_id}-driver`,
    scope: 'driver',
    lat: 1,
    lng: -0.5,
    heading: 90,
    speed: 8.3,
    accuracy: 5,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  expect(await tablet.hears('location.updated')).toEqual(first);
  for (let lat = 2; lat <= 9; lat += 1) {
    await share(lat);
    // What was answered is the last one, though it is told later.
    expect(await kept()).toBe(lat);
  }
  // Of those in between the last one wins.
  await customer.hears<{ lat: number }>('location.updated', ({ lat }) => lat === 9);
  expect(countOf(customer, 'location.updated')).toBeLessThanOrEqual(6);
  expect(countOf(driver, 'location.updated')).toBe(0);
  await until('the last one is stored', async () => {
    const client = await embeddedClient(server.dataDir);
    const { rows } = await client.query<{ lat: number }>(
      `SELECT (position->>'lat')::float8 AS lat FROM locations l JOIN bookings b ON b.no = l.booking_no
       WHERE b.id = $1`,
      [booking_id],
    );
    await client.end();
    return rows.length === 1 && rows[0]?.lat === 9;
  });
  expect(await kept()).toBe(9);
  for (const person of [driver, customer, tablet]) person.leave();
});

test('positions of both sides are in sync, and end with the chat', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.data('location.share', { booking_id, lat: 10, lng: 20 });
  await customer.data('location.share', { booking_id, lat: 11, lng: 21 });
  const locationsFor = async (person: Person) => {
    const { bookings } = await person.data<{ bookings: { locations: { scope: string; lat: number }[] }[] }>(
      'sync',
      {
        bookings: [{ booking_id, after_seq: 0 }],
      },
    );
    return new Set(bookings[0]?.locations.map(({ scope, lat }) => `${scope} ${lat}`));
  };
  expect(await locationsFor(driver)).toEqual(new Set(['customer 11', 'driver 10']));
  // Somebody else drives now: where the old driver was is no business of theirs.
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { driver: { id: 'next driver' } });
  const next = await Person.connect(server, await server.token('driver', 'next driver'));
  expect(await locationsFor(next)).toEqual(new Set(['customer 11']));
  // A driver who comes back has a new seat, in which nothing was shared yet.
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { driver: { id: `${booking_id}-driver` } });
  expect(await locationsFor(customer)).toEqual(new Set(['customer 11']));
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { driver: { id: 'next driver' } });
  // Closed and opened again: what was shared before is gone.
  for (const status of ['pending', 'accepted'])
    await server.rest('PATCH', `/v1/bookings/${booking_id}`, { status });
  expect(await locationsFor(next)).toEqual(new Set());
  for (const person of [driver, customer, next]) person.leave();
});
