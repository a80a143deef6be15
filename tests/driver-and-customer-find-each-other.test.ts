import type { ConnectionObject } from '@curbline/contract';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

let server: TestServer;
let database: pg.Client;

beforeAll(async () => {
  server = await TestServer.start();
  database = await embeddedClient(server.dataDir);
});
afterAll(async () => {
  await database.end();
  await server.stop();
});

test('fifty first calls at once by both make one connection, link both records, and all answers agree', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const people = await Promise.all(
    Array.from({ length: 48 }, async (_, index) => {
      const scope = index % 2 === 0 ? 'driver' : 'customer';
      return Person.connect(server, await server.token(scope, `${booking_id}-${scope}`));
    }),
  );
  const alive = [driver, customer, ...people];
  const answers = await Promise.all(
    alive.map((person) => person.data<ConnectionObject>('connection-established', { booking_id })),
  );
  const ids = new Set(answers.map((answer) => answer.response));
  expect(ids.size).toBe(1);
  const [id] = ids;
  const { rows: connections } = await database.query(
    `SELECT c.id FROM connections c JOIN drivers d ON d.no = c.driver_no JOIN customers u ON u.no = c.customer_no
     WHERE d.id = $1 AND u.id = $2`,
    [`${booking_id}-driver`, `${booking_id}-customer`],
  );
  expect(connections).toEqual([{ id }]);
  const { rows: links } = await database.query(
    `SELECT connection_id FROM drivers WHERE id = $1 UNION ALL SELECT connection_id FROM customers WHERE id = $2`,
    [`${booking_id}-driver`, `${booking_id}-customer`],
  );
  expect(links).toEqual([{ connection_id: id }, { connection_id: id }]);

  const second = await server.booking(`${booking_id}-again`, {
    driver: `${booking_id}-driver`,
    customer: `${booking_id}-customer`,
  });
  const again = await driver.data<ConnectionObject>('booking.join', { booking_id: second });
  expect(again.response).toBe(id);
  for (const person of alive) person.leave();
});

test('each is shown the other person, with public fields only', async () => {
  const booking_id = `b-${crypto.randomUUID()}`;
  await server.rest('PUT', `/v1/bookings/${booking_id}`, {
    driver: {
      id: 'd-public',
      name: 'Arjun',
      phone: '+91 98',
      rating: 4.9,
      vehicle: { make: 'Maruti', plate: 'DL 1' },
      locale: 'hi',
    },
    customer: { id: 'c-public', name: 'Meera', phone: '+91 99', avatar_url: 'https://example.org/m.png' },
    status: 'accepted',
    metadata: { fare: 12 },
  });
  const driver = await Person.connect(server, await server.token('driver', 'd-public'));
  const customer = await Person.connect(server, await server.token('customer', 'c-public'));
  const answer = await driver.data<ConnectionObject>('connection-established', { booking_id });
  expect(answer).toEqual({
    response: expect.stringMatching(/^[0-9a-f-]{36}$/),
    user_detail: {
      _id: 'c-public',
      scope: 'customer',
      name: 'Meera',
      avatar_url: 'https://example.org/m.png',
    },
    booking: booking_id,
    status: 'accepted',
    chat: 'open',
    from_seq: 1,
    last_seq: 0,
    delivered_seq: 0,
    read_seq: 0,
    counterpart: { delivered_seq: 0, read_seq: 0, online: true },
  });
  expect(await driver.hears('create-connection')).toEqual(answer);
  const theirs = await customer.hears<ConnectionObject>('create-connection');
  expect(theirs.user_detail).toEqual({
    _id: 'd-public',
    scope: 'driver',
    name: 'Arjun',
    vehicle: { make: 'Maruti', plate: 'DL 1' },
    rating: 4.9,
  });
  expect(theirs.response).toBe(answer.response);
  driver.leave();
  customer.leave();
});

test('a stranger gets the answer of a booking that does not exist, and hears nothing', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const stranger = await Person.connect(server, await server.token('driver', 'a-stranger'));
  await driver.data('booking.join', { booking_id });
  const strip = ({ request_id: _, ...error }: { request_id: string }) => error;
  for (const command of ['connection-established', 'booking.join', 'message.list']) {
    const foreign = await stranger.error(command, { booking_id });
    const unknown = await stranger.error(command, { booking_id: 'no-such-booking' });
    expect(foreign.code).toBe('not_found');
    expect(strip(foreign)).toEqual(strip(unknown));
  }
  await driver.send(booking_id, 'between us');
  await customer.hears('message.created');
  expect(stranger.heard).toEqual([]);
  for (const person of [driver, customer, stranger]) person.leave();
});

test('a command without a callback fails as an exception event that does not echo the payload', async () => {
  const person = await Person.connect(server, await server.token('driver', 'quiet'));
  person.socket.emit('connection-established', { booking_id: 'secret-booking' });
  const exception = await person.hears<{ command: string; error: { code: string } }>('exception');
  expect(exception.command).toBe('connection-established');
  expect(exception.error.code).toBe('not_found');
  expect(JSON.stringify(exception)).not.toContain('secret-booking');
  person.leave();
});
