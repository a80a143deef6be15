import type { MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

interface Sent {
  message: MessageObject;
  duplicate: boolean;
}
interface Created {
  booking_id: string;
  message: MessageObject;
}
interface Page {
  messages: MessageObject[];
  last_seq: number;
  has_more: boolean;
}

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const text = (booking_id: string, client_id: string, words: string) => ({
  booking_id,
  client_id,
  kind: 'text',
  body: { text: words },
});

const logOf = async (person: Person, booking_id: string) =>
  (await person.data<Page>('message.list', { booking_id, after_seq: 0, limit: 200 })).messages;

/** Everything this socket was shown live. */
const liveOf = (person: Person, booking_id: string) =>
  person
    .told<Created>('message.created')
    .filter((event) => event.booking_id === booking_id)
    .map((event) => event.message);

const another = async (booking_id: string, scope: 'driver' | 'customer') =>
  Person.connect(server, await server.token(scope, `${booking_id}-${scope}`));

test('a hundred parallel sends with repeats from both sides are stored once each, without a gap, and shown as stored', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const sides = {
    driver: [driver, await another(booking_id, 'driver'), await another(booking_id, 'driver')],
    customer: [customer, await another(booking_id, 'customer')],
  };
  // Which socket was answered with the fresh message: it is the one that must not get the event.
  const fresh = new Map<Person, Set<string>>();
  const answers = new Map<string, Sent[]>();
  const once = async (person: Person, client_id: string, words: string) => {
    const sent = await person.data<Sent>('message.send', text(booking_id, client_id, words));
    answers.set(client_id, [...(answers.get(client_id) ?? []), sent]);
    if (!sent.duplicate) fresh.set(person, (fresh.get(person) ?? new Set<string>()).add(client_id));
  };
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const sockets = index % 2 === 0 ? sides.driver : sides.customer;
      const client_id = crypto.randomUUID();
      const copies = 1 + (index % 4);
      await Promise.all(
        Array.from({ length: copies }, (__, copy) => {
          const person = sockets[(index + copy) % sockets.length];
          if (!person) throw new Error('a side has sockets');
          return once(person, client_id, `words ${index}`);
        }),
      );
      // And once more, long after the first answer.
      if (index % 3 === 0) await once(sockets[0] ?? driver, client_id, `words ${index}`);
    }),
  );

  const log = await logOf(driver, booking_id);
  expect(log.map((message) => message.seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(new Set(log.map((message) => message.client_id))).toEqual(new Set(answers.keys()));
  for (const message of log) {
    const given = answers.get(message.client_id) ?? [];
    expect(given.filter((sent) => !sent.duplicate)).toHaveLength(1);
    for (const sent of given) expect(sent.message).toEqual(message);
  }
  expect(await logOf(customer, booking_id)).toEqual(log);
  const { body } = await server.rest<{ data: MessageObject[] }>(
    'GET',
    `/v1/bookings/${booking_id}/messages?after_seq=0&limit=200`,
  );
  expect(body.data).toEqual(log);

  // A last one, so that everything before it has arrived when it has.
  const end = await driver.send(booking_id, 'the end');
  for (const person of [...sides.driver, ...sides.customer]) {
    if (person !== driver)
      await person.hears<Created>('message.created', (told) => told.message.seq === end.message.seq);
    const own = fresh.get(person) ?? new Set<string>();
    const expected = log.filter((message) => !own.has(message.client_id));
    const shown = liveOf(person, booking_id).filter((message) => message.seq <= 100);
    expect(shown).toEqual(expected);
    person.leave();
  }
});

test("a fresh message is told to the sender's other sockets and not to the sending one; a repeat is told to nobody", async () => {
  const { booking_id, driver, customer } = await pair(server);
  const tablet = await another(booking_id, 'driver');
  const client_id = crypto.randomUUID();
  const first = await driver.data<Sent>('message.send', text(booking_id, client_id, 'at the gate'));
  const again = await tablet.data<Sent>('message.send', text(booking_id, client_id, 'at the gate'));
  expect(again).toEqual({ message: first.message, duplicate: true });
  const end = await customer.send(booking_id, 'coming');
  for (const person of [driver, tablet]) {
    await person.hears<Created>('message.created', (told) => told.message.seq === end.message.seq);
  }
  expect(liveOf(driver, booking_id).map((message) => message.seq)).toEqual([2]);
  expect(liveOf(tablet, booking_id).map((message) => message.seq)).toEqual([1, 2]);
  await until('the customer has heard the first one', () => liveOf(customer, booking_id).length > 0);
  expect(liveOf(customer, booking_id)).toEqual([first.message]);
  for (const person of [driver, customer, tablet]) person.leave();
});

test('a repeat in flight twice in one tick, over two sockets, is one message', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const tablet = await another(booking_id, 'driver');
  const client_id = crypto.randomUUID();
  const answers = await Promise.all(
    [driver, driver, tablet, tablet].map((person) =>
      person.data<Sent>('message.send', text(booking_id, client_id, 'twice')),
    ),
  );
  expect(answers.filter((sent) => !sent.duplicate)).toHaveLength(1);
  expect(new Set(answers.map((sent) => JSON.stringify(sent.message))).size).toBe(1);
  expect(await logOf(customer, booking_id)).toHaveLength(1);
  for (const person of [driver, customer, tablet]) person.leave();
});

test('a client_id with another content is a conflict, keeps nothing and tells nobody; the other party may use it', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const client_id = crypto.randomUUID();
  const first = await driver.data<Sent>('message.send', text(booking_id, client_id, 'one'));
  const others = [
    text(booking_id, client_id, 'two'),
    { booking_id, client_id, kind: 'location', body: { lat: 1, lng: 2 } },
    { booking_id, client_id, kind: 'canned', body: { key: 'ok' } },
  ];
  for (const other of others) {
    const error = await driver.error('message.send', other);
    expect(error).toMatchObject({ code: 'conflict', retryable: false });
  }
  const theirs = await customer.data<Sent>('message.send', text(booking_id, client_id, 'two'));
  expect(theirs).toMatchObject({ duplicate: false, message: { seq: 2, client_id } });
  expect(await logOf(driver, booking_id)).toEqual([first.message, theirs.message]);
  await driver.hears<Created>('message.created', (told) => told.message.seq === 2);
  expect(liveOf(driver, booking_id)).toEqual([theirs.message]);
  driver.leave();
  customer.leave();
});

test('text is stored and shown in NFC, and a repeat in another form is a repeat', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const client_id = crypto.randomUUID();
  const first = await driver.data<Sent>(
    'message.send',
    text(booking_id, client_id, 'cafe\u0301 \u1112\u1161\u11ab'),
  );
  expect(first.message.body).toEqual({ text: 'caf\u00e9 \ud55c' });
  const again = await driver.data<Sent>('message.send', text(booking_id, client_id, 'caf\u00e9 \ud55c'));
  expect(again).toEqual({ message: first.message, duplicate: true });
  await customer.hears('message.created');
  expect(liveOf(customer, booking_id)).toEqual(await logOf(customer, booking_id));
  driver.leave();
  customer.leave();
});

test('a client_id in capitals is echoed in capitals everywhere, and is the same id in small letters', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const client_id = `ABCDEF${crypto.randomUUID().toUpperCase().slice(6)}`;
  const first = await driver.data<Sent>('message.send', text(booking_id, client_id, 'from Swift'));
  expect(first.message.client_id).toBe(client_id);
  const told = await customer.hears<Created>('message.created');
  expect(told.message).toEqual(first.message);
  expect(await logOf(customer, booking_id)).toEqual([first.message]);
  const again = await driver.data<Sent>(
    'message.send',
    text(booking_id, client_id.toLowerCase(), 'from Swift'),
  );
  expect(again).toEqual({ message: first.message, duplicate: true });
  const error = await driver.error('message.send', text(booking_id, client_id.toLowerCase(), 'other'));
  expect(error.code).toBe('conflict');
  driver.leave();
  customer.leave();
});

test('sixty of the longest texts at once, in scripts of one to four bytes, are kept to the letter', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const letters = ['a', 'ä', 'ع', 'क', '🚕', '\u0001', '"', '\\'];
  const texts = Array.from({ length: 60 }, (_, n) => {
    const letter = letters[n % letters.length] ?? 'a';
    return `${n}:${letter.repeat(Math.floor((2_000 - 4) / letter.length))}`;
  });
  const sent = await Promise.all(
    texts.map((words, n) =>
      (n % 2 === 0 ? driver : customer).data<Sent>(
        'message.send',
        text(booking_id, crypto.randomUUID(), words),
      ),
    ),
  );
  const log = await logOf(driver, booking_id);
  const bySeq = (a: MessageObject, b: MessageObject) => a.seq - b.seq;
  expect(log).toEqual(sent.map(({ message }) => message).toSorted(bySeq));
  expect(log.map(({ body }) => (body as { text: string }).text).toSorted()).toEqual(texts.toSorted());
  driver.leave();
  customer.leave();
});

test('a repeat after the chat has closed is answered with the kept message; anything new is not kept', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const client_id = crypto.randomUUID();
  const first = await driver.data<Sent>('message.send', text(booking_id, client_id, 'before'));
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { status: 'pending' });
  await driver.hears('booking.updated');
  const again = await driver.data<Sent>('message.send', text(booking_id, client_id, 'before'));
  expect(again).toEqual({ message: first.message, duplicate: true });
  expect((await driver.error('message.send', text(booking_id, client_id, 'other'))).code).toBe('conflict');
  const refused = await driver.error('message.send', text(booking_id, crypto.randomUUID(), 'after'));
  expect(refused).toMatchObject({ code: 'chat_closed', details: { status: 'pending', chat: 'closed' } });
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { status: 'accepted' });
  await customer.hears<{ chat: string }>('booking.updated', (told) => told.chat === 'open');
  expect(await logOf(customer, booking_id)).toEqual([first.message]);
  expect(liveOf(customer, booking_id)).toEqual([first.message]);
  driver.leave();
  customer.leave();
});

test('pages are ascending, complete and without overlap in both directions', async () => {
  const { booking_id, driver, customer } = await pair(server);
  for (let n = 1; n <= 7; n += 1) await driver.send(booking_id, `${n}`);
  const seqs = async (range: object) => {
    const page = await customer.data<Page>('message.list', { booking_id, limit: 3, ...range });
    return [page.messages.map((message) => message.seq), page.last_seq, page.has_more];
  };
  expect(await seqs({})).toEqual([[5, 6, 7], 7, true]);
  expect(await seqs({ before_seq: 5 })).toEqual([[2, 3, 4], 7, true]);
  expect(await seqs({ before_seq: 2 })).toEqual([[1], 7, false]);
  expect(await seqs({ after_seq: 0 })).toEqual([[1, 2, 3], 7, true]);
  expect(await seqs({ after_seq: 6 })).toEqual([[7], 7, false]);
  expect(await seqs({ after_seq: 99 })).toEqual([[], 7, false]);
  const both = await customer.error('message.list', { booking_id, before_seq: 3, after_seq: 1 });
  expect(both.code).toBe('invalid');
  driver.leave();
  customer.leave();
});
