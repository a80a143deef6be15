import { createClient, CurblineError, memoryOutbox, type Booking, type ChatClient } from '@curbline/client';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { TestServer } from './harness/server.js';
import { storyTransports } from './harness/story-transports.js';
import { until } from './harness/until.js';

let server: TestServer;
const clients: ChatClient[] = [];

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const clientFor = async (scope: 'driver' | 'customer', userId: string): Promise<ChatClient> => {
  const token = await server.token(scope, userId);
  const client = createClient({
    url: server.url,
    token,
    transports: storyTransports,
    type: 'web',
    outbox: 'memory',
  });
  clients.push(client);
  return client;
};

const pair = async (): Promise<{
  id: string;
  driver: Booking;
  customer: Booking;
  chats: [ChatClient, ChatClient];
}> => {
  const id = await server.booking();
  const chats = await Promise.all([
    clientFor('driver', `${id}-driver`),
    clientFor('customer', `${id}-customer`),
  ]);
  const [driver, customer] = chats.map((chat) => chat.booking(id));
  if (!driver || !customer) throw new Error('two bookings');
  return { id, driver, customer, chats };
};

const states = (booking: Booking) => booking.messages.map(({ seq, state, mine }) => ({ seq, state, mine }));

test('joining connects, finds the other party and gives the same connection to both', async () => {
  const { id, driver, customer } = await pair();
  const [one, other] = await Promise.all([driver.join(), customer.join()]);
  expect(one.response).toBe(other.response);
  expect(one.user_detail).toMatchObject({
    _id: `${id}-customer`,
    scope: 'customer',
    name: `Name of ${id}-customer`,
  });
  expect(other.user_detail).toMatchObject({ _id: `${id}-driver`, scope: 'driver' });
  await until('both see the other one online', () =>
    [driver, customer].every(({ presence }) => presence[0]?.online === true),
  );
});

test('ticks go from queued over stored and delivered to read', async () => {
  const { driver, customer } = await pair();
  const seen: string[] = [];
  await driver.join();
  driver.on('change', () => {
    const state = driver.messages[0]?.state;
    if (state && seen.at(-1) !== state) seen.push(state);
  });
  const { message, duplicate } = await driver.send({ text: 'At gate 3' });
  expect(message).toMatchObject({ seq: 1, kind: 'text', body: { text: 'At gate 3' } });
  expect(duplicate).toBe(false);
  expect(states(driver)).toEqual([{ seq: 1, state: 'stored', mine: true }]);
  await customer.join();
  await until('two ticks', () => driver.messages[0]?.state === 'delivered');
  expect(customer.unread).toBe(1);
  await customer.markRead();
  expect(customer.unread).toBe(0);
  await until('read', () => driver.messages[0]?.state === 'read');
  expect(seen).toEqual(['queued', 'stored', 'delivered', 'read']);
  expect(driver.receipts.counterpart).toEqual({ delivered_seq: 1, read_seq: 1 });
});

test('all kinds arrive, own messages are told too, in one order for both', async () => {
  const { driver, customer } = await pair();
  const heard: [number[], number[]] = [[], []];
  driver.on('message.created', ({ seq }) => heard[0].push(seq));
  customer.on('message.created', ({ seq }) => heard[1].push(seq));
  await Promise.all([driver.join(), customer.join()]);
  await Promise.all([
    driver.send({ canned: 'arriving_in', params: { minutes: 2 } }),
    driver.send({ location: { lat: 25.2, lng: 55.3, label: 'Gate 3' } }),
    customer.send({ text: 'Here' }),
    ...Array.from({ length: 20 }, (_, index) => [driver, customer][index % 2]?.send({ text: `n${index}` })),
  ]);
  await until('both have all', () => heard.every((seqs) => seqs.length === 23));
  expect(heard[0]).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
  expect(heard[1]).toEqual(heard[0]);
  const bodies = (booking: Booking) => booking.messages.map(({ body, kind }) => ({ body, kind }));
  expect(bodies(driver)).toEqual(bodies(customer));
  expect(bodies(driver)).toContainEqual({
    kind: 'canned',
    body: { key: 'arriving_in', params: { minutes: 2 } },
  });
  const byDriver = customer.messages
    .filter(({ mine, kind }) => !mine && kind === 'text')
    .map(({ body }) => body);
  expect(byDriver).toEqual(Array.from({ length: 10 }, (_, index) => ({ text: `n${index * 2}` })));
});

test('typing, its end, presence and positions are told', async () => {
  const { id, driver, customer, chats } = await pair();
  await Promise.all([driver.join(), customer.join()]);
  driver.setTyping(true);
  await until('typing is seen', () => customer.typing[0]?.user_id === `${id}-driver`);
  await driver.send({ text: 'done' });
  await until('the message ends it', () => customer.typing.length === 0);
  await driver.shareLocation({ lat: 1, lng: 2, speed: 3 });
  await until('the position is seen', () => customer.locations[0]?.lat === 1);
  await chats[0].close();
  await until('the driver is gone', () => customer.presence[0]?.online === false, 12_000);
});

test('history is read backwards page by page, and earlier pages go in front of the thread', async () => {
  const { driver, customer } = await pair();
  await driver.join();
  await Promise.all(Array.from({ length: 30 }, (_, index) => driver.send({ text: `n${index + 1}` })));
  await customer.join({ history: 5 });
  expect(customer.messages.map(({ seq }) => seq)).toEqual([26, 27, 28, 29, 30]);
  expect(customer.hasEarlier).toBe(true);
  expect(await customer.loadEarlier(10)).toBe(true);
  expect(await customer.loadEarlier(50)).toBe(false);
  expect(customer.messages.map(({ seq }) => seq)).toEqual(
    Array.from({ length: 30 }, (_, index) => index + 1),
  );
  const seqs: number[] = [];
  for await (const { seq } of customer.history({ limit: 7 })) seqs.push(seq);
  expect(seqs).toEqual(Array.from({ length: 30 }, (_, index) => 30 - index));
  expect((await customer.list({ after_seq: 28 })).messages.map(({ seq }) => seq)).toEqual([29, 30]);
});

test('an app that kept a position itself is told everything after it', async () => {
  const { driver, customer } = await pair();
  await driver.join();
  for (let n = 0; n < 8; n += 1) await driver.send({ text: `n${n}` });
  const heard: number[] = [];
  customer.on('message.created', ({ seq }) => heard.push(seq));
  await customer.join({ after_seq: 3 });
  await until('the rest is told', () => heard.length === 5);
  expect(heard).toEqual([4, 5, 6, 7, 8]);
});

test('what cannot be stored fails with a reason, stays in the thread, and lets later messages pass', async () => {
  const { driver } = await pair();
  await driver.join();
  const refused = driver.send({ text: '   ' });
  await driver.send({ text: 'fine' });
  const error = await refused.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(CurblineError);
  expect(error).toMatchObject({ code: 'invalid', retryable: false });
  expect((error as CurblineError).requestId).toBeTruthy();
  const failed = driver.messages.find(({ state }) => state === 'failed');
  expect(failed).toMatchObject({ body: { text: '   ' }, mine: true, error: { code: 'invalid' } });
  await expect(driver.retry(failed?.client_id ?? '')).rejects.toMatchObject({ code: 'invalid' });
  await driver.discard(failed?.client_id ?? '');
  expect(states(driver)).toEqual([{ seq: 1, state: 'stored', mine: true }]);
});

test('calls that nobody awaits end without a word when the client closes under them', async () => {
  const { driver, customer, chats } = await pair();
  await Promise.all([driver.join(), customer.join()]);
  await driver.send({ text: 'read me' });
  await until('it is here', () => customer.messages.length === 1);
  const heard: unknown[] = [];
  const hear = (reason: unknown): void => void heard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const [, chat] = chats;
    void customer.markRead();
    void customer.shareLocation({ lat: 1, lng: 2 });
    void customer.shareLocation({ lat: 1, lng: 3 });
    customer.setTyping(true);
    void customer.send({ text: 'last words' });
    const token = () => new Promise<string>(() => undefined);
    const waiting = createClient({ url: server.url, token, transports: storyTransports, outbox: 'memory' });
    void waiting.connect();
    void waiting.booking('b').join();
    void customer.retry('nothing of this name');
    await Promise.all([chat.close(), waiting.close()]);
    void customer.markRead();
    void customer.shareLocation({ lat: 1, lng: 4 });
    const awaited = customer.markRead().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await awaited).toMatchObject({ code: 'closed' });
    expect(heard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('a message can be discarded before it is known whose it is, and is never sent', async () => {
  const { id, driver } = await pair();
  await driver.join();
  const given = await server.token('customer', `${id}-customer`);
  let give!: (token: string) => void;
  const token = () => new Promise<string>((resolve) => void (give = resolve));
  const chat = createClient({ url: server.url, token, transports: storyTransports, outbox: 'memory' });
  clients.push(chat);
  const customer = chat.booking(id);
  const sent = customer.send({ text: 'on second thoughts' }).catch((error: unknown) => error);
  await customer.discard(customer.messages[0]?.client_id ?? '');
  expect(await sent).toMatchObject({ name: 'CurblineError', code: 'closed' });
  give(given);
  await customer.send({ text: 'hello' });
  await until('it arrives', () => driver.messages.length === 1);
  expect(driver.messages[0]?.body).toEqual({ text: 'hello' });
});

test('a booking of others is not found', async () => {
  const { driver } = await pair();
  await driver.join();
  const stranger = await clientFor('customer', 'a-stranger');
  await expect(stranger.booking(driver.id).join()).rejects.toMatchObject({
    code: 'not_found',
    retryable: false,
  });
});

test('the list of bookings has the last message and the unread count', async () => {
  const { id, driver, chats } = await pair();
  await driver.join();
  await driver.send({ text: 'one' });
  await driver.send({ text: 'two' });
  const { bookings } = await chats[1].bookings({ open_only: true });
  expect(bookings).toMatchObject([{ booking_id: id, unread: 2, last_message: { seq: 2 } }]);
});

test('a closing status is told, and the customer sees who took over', async () => {
  const { id, driver, customer } = await pair();
  await Promise.all([driver.join(), customer.join()]);
  await driver.send({ text: 'before' });
  await server.booking(id, { driver: `${id}-second`, customer: `${id}-customer` });
  await until('the first driver is out', () => !driver.joined);
  const second = (await clientFor('driver', `${id}-second`)).booking(id);
  await second.join();
  await until('the customer sees the second driver', () => customer.view?.user_detail._id === `${id}-second`);
  await customer.send({ text: 'hello again' });
  await until('it arrives', () => second.messages.length === 1);
  expect(second.messages[0]).toMatchObject({ seq: 2, body: { text: 'hello again' } });
  expect(customer.messages.map(({ seq }) => seq)).toEqual([1, 2]);
  await until('and is delivered to the second driver', () => customer.messages[1]?.state === 'delivered');
  await server.rest('PATCH', `/v1/bookings/${id}`, { status: 'completed' });
  await until('the status is told', () => customer.view?.status === 'completed');
  expect(customer.view?.closes_at).toBeTruthy();
});

/** The Hermes of older React Natives has none of these. */
const forgetES2023 = (): void => {
  for (const kind of [Array, Uint8Array]) {
    for (const name of ['findLast', 'findLastIndex', 'toReversed', 'toSorted', 'toSpliced', 'with']) {
      const { prototype } = kind as { prototype: object };
      const kept = Object.getOwnPropertyDescriptor(prototype, name);
      if (!kept || !Reflect.deleteProperty(prototype, name)) continue;
      onTestFinished(() => void Object.defineProperty(prototype, name, kept));
    }
  }
};

test('nothing of a browser is needed: no DOM, storage, locks, channels, crypto, text codecs or ES2023', async () => {
  const { id, driver } = await pair();
  await driver.join();
  const token = await server.token('customer', `${id}-customer`);
  for (const name of [
    'navigator',
    'document',
    'indexedDB',
    'BroadcastChannel',
    'crypto',
    'TextDecoder',
    'addEventListener',
  ]) {
    vi.stubGlobal(name, undefined);
  }
  forgetES2023();
  const chat = createClient({ url: server.url, token, transports: storyTransports });
  clients.push(chat);
  const booking = chat.booking(id);
  await booking.join();
  await expect(booking.send({ text: 'from React Native' })).resolves.toMatchObject({ duplicate: false });
  await until('it arrives', () => driver.messages.length === 1);
  for await (const { seq } of booking.history()) expect(seq).toBe(1);
  await driver.send({ text: 'hello, React Native' });
  await until('it arrives there and is delivered', () => driver.messages[1]?.state === 'delivered');
});

test('where a browser refuses locks and channels, as in a frame of another origin, messages go out without', async () => {
  const { id, driver } = await pair();
  await driver.join();
  const refuse = () => Promise.reject(new DOMException('The request was denied.', 'SecurityError'));
  vi.stubGlobal('navigator', { locks: { request: refuse } });
  vi.stubGlobal('BroadcastChannel', () => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  });
  const token = await server.token('customer', `${id}-customer`);
  const chat = createClient({
    url: server.url,
    token,
    transports: storyTransports,
    outbox: { ...memoryOutbox(), sharedAs: 'frame' },
  });
  clients.push(chat);
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const sent = chat.booking(id).send({ text: 'from a frame' });
    await expect(sent).resolves.toMatchObject({ duplicate: false });
    await until('it arrives', () => driver.messages.length === 1);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});
