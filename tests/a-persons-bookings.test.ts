import type { MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

interface Entry {
  booking_id: string;
  status: string;
  chat: string;
  counterpart: Record<string, unknown>;
  last_message: MessageObject | null;
  unread: number;
}
interface List {
  bookings: Entry[];
  next_cursor: string | null;
}
interface Synced {
  booking_id: string;
  messages: MessageObject[];
  last_seq: number;
  has_more: boolean;
  status: string;
  chat: string;
  receipts: Record<string, unknown>[];
  error?: { code: string; message: string };
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const sync = async (person: Person, bookings: object[]) =>
  (await person.data<{ bookings: Synced[] }>('sync', { bookings })).bookings;

test('the list shows each booking with the other person, the last message and what is unread', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.send(booking_id, 'one');
  await customer.send(booking_id, 'two');
  const last = await driver.send(booking_id, 'three');
  const { bookings, next_cursor } = await customer.data<List>('booking.list', {});
  expect(next_cursor).toBeNull();
  expect(bookings).toEqual([
    {
      booking_id,
      status: 'accepted',
      chat: 'open',
      counterpart: {
        _id: `${booking_id}-driver`,
        scope: 'driver',
        name: `Name of ${booking_id}-driver`,
        online: true,
      },
      last_message: last.message,
      // Sending had read what came before.
      unread: 1,
    },
  ]);
  expect((await driver.data<List>('booking.list', {})).bookings[0]).toMatchObject({
    unread: 0,
    last_message: last.message,
  });
  await customer.data('receipt.mark', { booking_id, read_seq: 3 });
  expect((await customer.data<List>('booking.list', {})).bookings[0]?.unread).toBe(0);
  driver.leave();
  customer.leave();
});

test('the list goes by cursor, newest first; open_only leaves out what is not open, without short pages', async () => {
  const id = `c-${crypto.randomUUID()}`;
  const made: string[] = [];
  for (let n = 0; n < 7; n += 1) {
    made.unshift(
      await server.booking(undefined, { customer: id, status: n % 2 === 0 ? 'accepted' : 'pending' }),
    );
  }
  const customer = await Person.as(server, 'customer', id);
  const walk = async (open_only: boolean) => {
    const pages: string[][] = [];
    let cursor: string | null | undefined;
    do {
      const page: List = await customer.data('booking.list', {
        open_only,
        limit: 2,
        ...(cursor != null && { cursor }),
      });
      pages.push(page.bookings.map((entry) => entry.booking_id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    return pages;
  };
  expect((await walk(false)).flat()).toEqual(made);
  const open = await walk(true);
  expect(open.map((page) => page.length)).toEqual([2, 2]);
  expect(open.flat()).toEqual(made.filter((_, index) => index % 2 === 0));
  const pending = (await customer.data<List>('booking.list', {})).bookings[1];
  expect(pending).toMatchObject({ chat: 'closed', unread: 0, last_message: null });
  expect((await customer.error('booking.list', { cursor: 'nonsense' })).code).toBe('invalid');
  customer.leave();
});

test('the list and sync of somebody without bookings, or of support, give nothing away', async () => {
  const nobody = await Person.as(server, 'driver', 'nobody');
  expect(await nobody.data('booking.list', {})).toEqual({ bookings: [], next_cursor: null });
  const foreign = await server.booking();
  const [one, two] = await sync(nobody, [
    { booking_id: foreign, after_seq: 0 },
    { booking_id: 'none', after_seq: 0 },
  ]);
  const error = {
    code: 'not_found',
    message: expect.any(String),
    retryable: false,
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  };
  expect(one).toEqual({ booking_id: foreign, error });
  expect(two).toEqual({ booking_id: 'none', error: { ...error, message: one?.error?.message } });
  expect(await sync(nobody, [])).toEqual([]);
  const support = await Person.as(server, 'support', 'agent');
  expect((await support.error('booking.list', {})).code).toBe('forbidden');
  nobody.leave();
  support.leave();
});

test('sync brings in one round trip what was missed in each booking, in pages', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const other = await server.booking(undefined, { customer: `${booking_id}-customer` });
  const closed = await server.booking(undefined, { customer: `${booking_id}-customer`, status: 'pending' });
  customer.leave();
  await Promise.all(Array.from({ length: 210 }, (_, n) => driver.send(booking_id, `${n}`)));
  await driver.data('receipt.mark', { booking_id, read_seq: 210 });
  const back = await Person.as(server, 'customer', `${booking_id}-customer`);
  const [first, second, third] = await sync(back, [
    { booking_id, after_seq: 5 },
    { booking_id: other, after_seq: 0 },
    { booking_id: closed, after_seq: 0 },
  ]);
  expect(first).toMatchObject({
    booking_id,
    last_seq: 210,
    has_more: true,
    status: 'accepted',
    chat: 'open',
  });
  expect(first?.messages.map((message) => message.seq)).toEqual(Array.from({ length: 200 }, (_, n) => n + 6));
  expect(first?.receipts).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        user_id: `${booking_id}-driver`,
        scope: 'driver',
        delivered_seq: 210,
        read_seq: 210,
      }),
      expect.objectContaining({
        user_id: `${booking_id}-customer`,
        scope: 'customer',
        delivered_seq: 0,
        read_seq: 0,
      }),
    ]),
  );
  expect(second).toMatchObject({
    booking_id: other,
    messages: [],
    last_seq: 0,
    has_more: false,
    locations: [],
  });
  expect(third).toEqual({
    booking_id: closed,
    error: expect.objectContaining({ code: 'chat_closed', details: { status: 'pending', chat: 'closed' } }),
  });
  const [rest] = await sync(back, [{ booking_id, after_seq: 205 }]);
  expect(rest?.messages.map((message) => message.seq)).toEqual([206, 207, 208, 209, 210]);
  expect(rest?.has_more).toBe(false);
  const joined = await back.data<{ messages: MessageObject[]; last_seq: number }>('booking.join', {
    booking_id,
    after_seq: 208,
  });
  expect(joined.messages.map((message) => message.seq)).toEqual([209, 210]);
  driver.leave();
  back.leave();
});

test('a sync of more bookings than are allowed is refused in a few words, without a look at them', async () => {
  const person = await Person.as(server, 'driver', 'too many');
  const many = await person.error('sync', { bookings: Array.from({ length: 20_000 }, () => ({})) });
  expect(many.code).toBe('invalid');
  expect(many.details).toEqual([{ path: 'bookings', message: expect.stringContaining('50') }]);
  const wrong = await person.error('sync', { bookings: Array.from({ length: 50 }, () => ({})) });
  expect(wrong.details).toHaveLength(20);
  expect((await person.error('sync', { bookings: 'all' })).code).toBe('invalid');
  person.leave();
});
