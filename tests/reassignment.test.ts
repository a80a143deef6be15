import type { Answer, ConnectionObject, MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

interface Updated {
  booking_id: string;
  status: string;
  chat: string;
  reason?: string;
}
interface Created {
  booking_id: string;
  message: MessageObject;
}
interface Page {
  messages: MessageObject[];
  last_seq: number;
}

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

/** Gives the booking to another driver; the customer stays. */
const assign = (booking_id: string, driver: string | null) =>
  server.rest('PATCH', `/v1/bookings/${booking_id}`, {
    driver: driver === null ? null : { id: driver, name: driver },
  });

const seqsOf = async (person: Person, booking_id: string, range: object = { after_seq: 0, limit: 200 }) =>
  (await person.data<Page>('message.list', { booking_id, ...range })).messages.map((message) => message.seq);

test('the new driver sees nothing before the line, the old one nothing after it, the customer everything', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const second = await Person.as(server, 'driver', 'second');
  await first.data('booking.join', { booking_id });
  await first.send(booking_id, 'one');
  await customer.send(booking_id, 'two');
  const { body } = await assign(booking_id, 'second');
  expect(body).toMatchObject({
    connection_id: expect.any(String),
    last_seq: 2,
    participants: [
      {
        user_id: `${booking_id}-driver`,
        scope: 'driver',
        from_seq: 1,
        to_seq: 2,
        delivered_seq: 1,
        read_seq: 1,
      },
      { user_id: `${booking_id}-customer`, scope: 'customer', from_seq: 1 },
      { user_id: 'second', scope: 'driver', from_seq: 3 },
    ],
  });

  const told = await customer.hears<Updated>('booking.updated');
  expect(told).toEqual({ booking_id, status: 'accepted', chat: 'open', reason: 'reassigned' });
  const lost = await first.hears<Updated>('booking.updated');
  expect(lost).toEqual({ booking_id, status: 'accepted', chat: 'closed', reason: 'unassigned' });
  expect(await second.hears<Updated>('booking.updated')).toEqual({
    booking_id,
    status: 'accepted',
    chat: 'open',
  });

  const joined = await second.data<ConnectionObject>('booking.join', { booking_id });
  expect(joined).toMatchObject({
    response: body['connection_id'],
    from_seq: 3,
    last_seq: 2,
    delivered_seq: 0,
    read_seq: 0,
  });
  await customer.send(booking_id, 'three');
  await second.hears<Created>('message.created', (event) => event.message.seq === 3);
  await second.send(booking_id, 'four');
  expect(await seqsOf(second, booking_id)).toEqual([3, 4]);
  expect(await seqsOf(second, booking_id, { before_seq: 4 })).toEqual([3]);
  expect(await seqsOf(second, booking_id, {})).toEqual([3, 4]);
  const synced = await second.data<{ bookings: Page[] }>('sync', {
    bookings: [{ booking_id, after_seq: 0 }],
  });
  expect(synced.bookings[0]?.messages.map((message) => message.seq)).toEqual([3, 4]);
  expect(await seqsOf(customer, booking_id)).toEqual([1, 2, 3, 4]);
  const senders = (await customer.data<Page>('message.list', { booking_id })).messages.map(
    (message) => message.sender.user_id,
  );
  expect(senders).toEqual([
    `${booking_id}-driver`,
    `${booking_id}-customer`,
    `${booking_id}-customer`,
    'second',
  ]);
  for (const person of [first, second, customer]) person.leave();
});

test('the old driver hears nothing after unassigned, and every command is not_found from then on', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const heldByFirst = await server.booking(undefined, { driver: `${booking_id}-driver` });
  const client_id = crypto.randomUUID();
  await first.send(booking_id, 'kept', client_id);
  await assign(booking_id, 'third');
  await first.hears<Updated>('booking.updated', (event) => event.reason === 'unassigned');
  const strip = ({ request_id: _, ...error }: { request_id: string }) => error;
  const text = { client_id, kind: 'text', body: { text: 'kept' } };
  const tries: [string, Record<string, unknown>][] = [
    ['booking.join', {}],
    ['connection-established', {}],
    ['message.send', text],
    ['message.send', { ...text, client_id: crypto.randomUUID() }],
    ['message.list', {}],
    ['receipt.mark', { read_seq: 1 }],
    ['typing.set', { typing: true }],
    ['location.share', { lat: 1, lng: 1 }],
  ];
  for (const [command, rest] of tries) {
    const error = await first.error(command, { booking_id, ...rest });
    expect(error.code, command).toBe('not_found');
    expect(strip(error)).toEqual(strip(await first.error(command, { booking_id: 'nothing', ...rest })));
  }
  const { bookings } = await first.data<{ bookings: { booking_id: string }[] }>('booking.list', {});
  expect(bookings.map((entry) => entry.booking_id)).toEqual([heldByFirst]);
  const synced = await first.data<{ bookings: object[] }>('sync', {
    bookings: [{ booking_id, after_seq: 0 }],
  });
  expect(synced.bookings).toEqual([{ booking_id, error: expect.objectContaining({ code: 'not_found' }) }]);

  // Everything that could be told of the booking happens; then a word in another one, which comes after it all.
  const third = await Person.as(server, 'driver', 'third');
  await third.data('booking.join', { booking_id });
  await customer.send(booking_id, 'to the new one');
  await third.data('receipt.mark', { booking_id, read_seq: 2 });
  await customer.data('typing.set', { booking_id, typing: true });
  await customer.data('location.share', { booking_id, lat: 1, lng: 1 });
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { status: 'arrived' });
  await server.rest('POST', `/v1/bookings/${booking_id}/messages`, {
    kind: 'system',
    body: { text: 'arrived' },
  });
  await server.rest('PATCH', `/v1/bookings/${heldByFirst}`, { status: 'arriving' });
  await first.hears<Updated>('booking.updated', (event) => event.booking_id === heldByFirst);
  const about = first.heard.filter(({ args }) => JSON.stringify(args).includes(`"${booking_id}"`));
  expect(about.at(-1)).toEqual({
    name: 'booking.updated',
    args: [expect.objectContaining({ reason: 'unassigned' })],
  });
  for (const person of [first, third, customer]) person.leave();
});

test('a driver who comes back has a new seat and sees only what comes after it; the pair has its old connection', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const before = await first.data<ConnectionObject>('booking.join', { booking_id });
  await customer.send(booking_id, 'one');
  await assign(booking_id, 'between');
  await customer.send(booking_id, 'two');
  await assign(booking_id, `${booking_id}-driver`);
  const again = await first.data<ConnectionObject>('booking.join', { booking_id });
  expect(again.response).toBe(before.response);
  expect(again.from_seq).toBe(3);
  await customer.send(booking_id, 'three');
  expect(await seqsOf(first, booking_id)).toEqual([3]);
  expect(await seqsOf(customer, booking_id)).toEqual([1, 2, 3]);
  for (const person of [first, customer]) person.leave();
});

test('a booking without a driver is closed for the customer until somebody takes it', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  await first.send(booking_id, 'one');
  const { body } = await assign(booking_id, null);
  expect(body).toMatchObject({ driver: null, chat: 'closed' });
  expect(await customer.hears<Updated>('booking.updated')).toEqual({
    booking_id,
    status: 'accepted',
    chat: 'closed',
  });
  expect((await first.hears<Updated>('booking.updated')).reason).toBe('unassigned');
  for (const command of ['booking.join', 'message.list']) {
    expect((await customer.error(command, { booking_id })).code).toBe('chat_closed');
  }
  expect((await first.error('message.list', { booking_id })).code).toBe('not_found');
  await assign(booking_id, 'fourth');
  await customer.hears<Updated>('booking.updated', (event) => event.chat === 'open');
  expect(await seqsOf(customer, booking_id)).toEqual([1]);
  for (const person of [first, customer]) person.leave();
});

test('sends in flight during thirty reassignments land on exactly one side of each line', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const ids = [`${booking_id}-driver`, `${booking_id}-other`] as const;
  const drivers = [first, await Person.as(server, 'driver', ids[1])] as const;
  let running = true;
  const acked = new Map<string, MessageObject>();
  const wrong: unknown[] = [];
  const chatter = async (person: Person, allowed: string[]) => {
    while (running) {
      const client_id = crypto.randomUUID();
      const answer: Answer<{ message: MessageObject }> = await person.ask('message.send', {
        booking_id,
        client_id,
        kind: 'text',
        body: { text: client_id },
      });
      if (answer.data) acked.set(client_id, answer.data.message);
      else if (!allowed.includes(answer.error.code)) wrong.push(answer.error);
    }
  };
  const talking = [
    ...Array.from({ length: 4 }, () => chatter(customer, [])),
    ...drivers.flatMap((driver) => [chatter(driver, ['not_found']), chatter(driver, ['not_found'])]),
  ];
  for (let turn = 1; turn <= 30; turn += 1) {
    const seen = acked.size;
    await until('messages flow', () => acked.size >= seen + 10);
    expect((await assign(booking_id, ids[turn % 2] ?? '')).status).toBe(200);
  }
  running = false;
  await Promise.all(talking);
  expect(wrong).toEqual([]);
  const end = await customer.send(booking_id, 'the end');

  // Turn 30 gave the booking back to the first driver.
  await first.hears<Created>('message.created', (event) => event.message.seq === end.message.seq);
  const { body } = await server.rest<{
    participants: { user_id: string; scope: string; from_seq: number; to_seq?: number }[];
  }>('GET', `/v1/bookings/${booking_id}`);
  const seats = body.participants.filter((seat) => seat.scope === 'driver');
  expect(seats).toHaveLength(31);
  // Seats follow each other without a gap and without an overlap.
  for (const [index, seat] of seats.entries()) {
    expect(seat.from_seq).toBe(index === 0 ? 1 : (seats[index - 1]?.to_seq ?? Number.NaN) + 1);
  }
  const holderOf = (seq: number) =>
    seats.find((seat) => seat.from_seq <= seq && seq <= (seat.to_seq ?? Infinity))?.user_id;
  for (const message of acked.values()) {
    if (message.sender.scope === 'driver') expect(holderOf(message.seq)).toBe(message.sender.user_id);
  }
  for (const [index, driver] of drivers.entries()) {
    const shown = driver.told<Created>('message.created').map((event) => event.message);
    for (const message of shown) expect(holderOf(message.seq), `${message.seq}`).toBe(ids[index]);
    // Nothing of their own time is missing: what was not shown live was theirs, sent over this very socket.
    const known = new Set(shown.map((message) => message.seq));
    const missing = [...acked.values()].filter(
      (message) =>
        holderOf(message.seq) === ids[index] &&
        message.sender.user_id !== ids[index] &&
        !known.has(message.seq),
    );
    expect(missing).toEqual([]);
    // After a loss they hear of their next seat only, never again of the one that was lost.
    const own = seats.filter((seat) => seat.user_id === ids[index]);
    let lost = 0;
    for (const { name, args } of driver.heard) {
      const event = args[0] as Updated & Created & { read_seq: number; user_id: string };
      if (name === 'booking.updated' && event.reason === 'unassigned') lost += 1;
      if (name !== 'message.created' && name !== 'receipt.updated') continue;
      const seq = name === 'message.created' ? event.message.seq : event.read_seq;
      expect(seq, `${name} after loss ${lost}`).toBeGreaterThanOrEqual(own[lost]?.from_seq ?? Infinity);
    }
    expect(lost).toBe(15);
  }
  for (const person of [...drivers, customer]) person.leave();
}, 120_000);

test('joins that race thirty reassignments show each driver their own connection, and nothing after the loss', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const ids = [`${booking_id}-driver`, `${booking_id}-rival`] as const;
  const drivers = [first, await Person.as(server, 'driver', ids[1])] as const;
  const people = [...drivers, customer];
  let running = true;
  let joins = 0;
  const joining = async (person: Person, range: object) => {
    while (running) {
      const { error } = await person.ask('booking.join', { booking_id, ...range });
      // A customer may meet a moment between two drivers.
      if (error) expect(['not_found', 'unavailable']).toContain(error.code);
      joins += 1;
    }
  };
  const working = people.flatMap((person) => [joining(person, {}), joining(person, { after_seq: 0 })]);
  for (let turn = 1; turn <= 30; turn += 1) {
    const seen = joins;
    await until('people join', () => joins >= seen + 12);
    // So that each seat begins at a place of its own.
    await customer.send(booking_id, `${turn}`);
    expect((await assign(booking_id, ids[turn % 2] ?? '')).status).toBe(200);
  }
  running = false;
  await Promise.all(working);
  const connectionOf = new Map<string, string>();
  for (const shown of customer.told<ConnectionObject>('create-connection')) {
    const { _id } = shown.user_detail;
    expect(connectionOf.get(_id) ?? shown.response, _id).toBe(shown.response);
    connectionOf.set(_id, shown.response);
  }
  expect(new Set(connectionOf.values()).size).toBe(2);
  const { body } = await server.rest<{ participants: { user_id: string; from_seq: number }[] }>(
    'GET',
    `/v1/bookings/${booking_id}`,
  );
  for (const [index, driver] of drivers.entries()) {
    const own = body.participants.filter((seat) => seat.user_id === ids[index]);
    let lost = 0;
    for (const { name, args } of driver.heard) {
      const event = args[0] as Updated & ConnectionObject;
      if (name === 'booking.updated' && event.reason === 'unassigned') lost += 1;
      if (name !== 'create-connection') continue;
      expect(event.response).toBe(connectionOf.get(ids[index] ?? ''));
      expect(event.from_seq, `after loss ${lost}`).toBeGreaterThanOrEqual(own[lost]?.from_seq ?? Infinity);
    }
    expect(lost).toBe(15);
  }
  for (const person of people) person.leave();
}, 120_000);

test('a reassignment is told although the new pair could not be connected at once', async () => {
  const { booking_id, driver: first, customer } = await pair(server);
  const database = await embeddedClient(server.dataDir);
  await database.query('ALTER FUNCTION curbline_connect(bigint, uuid) RENAME TO connect_gone');
  expect((await assign(booking_id, 'fifth')).status).toBe(200);
  expect((await first.hears<Updated>('booking.updated')).reason).toBe('unassigned');
  expect((await customer.hears<Updated>('booking.updated')).reason).toBe('reassigned');
  await database.query('ALTER FUNCTION connect_gone(bigint, uuid) RENAME TO curbline_connect');
  await database.end();
  const fifth = await Person.as(server, 'driver', 'fifth');
  const joined = await fifth.data<ConnectionObject>('booking.join', { booking_id });
  expect(joined.user_detail._id).toBe(`${booking_id}-customer`);
  for (const person of [first, fifth, customer]) person.leave();
});
