import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createClient, type Booking, type ChatClient, type ClientOptions } from '@curbline/client';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { TestServer } from './harness/server.js';
import { storyTransports } from './harness/story-transports.js';
import { until } from './harness/until.js';

let server: TestServer;
const clients: ChatClient[] = [];

beforeAll(async () => {
  server = await TestServer.start();
});
afterEach(() => {
  vi.unstubAllGlobals();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
});

const make = (options: Partial<ClientOptions> & Pick<ClientOptions, 'token'>): ChatClient => {
  const client = createClient({
    url: server.url,
    transports: storyTransports,
    outbox: 'memory',
    reconnectMs: { min: 50, max: 500 },
    ...options,
  });
  clients.push(client);
  return client;
};

const clientFor = async (scope: 'driver' | 'customer', userId: string): Promise<ChatClient> =>
  make({ token: await server.token(scope, userId) });

const both = async (id: string): Promise<[Booking, Booking]> => {
  const [driver, customer] = [
    (await clientFor('driver', `${id}-driver`)).booking(id),
    (await clientFor('customer', `${id}-customer`)).booking(id),
  ];
  await Promise.all([driver.join(), customer.join()]);
  return [driver, customer];
};

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const seqs = (booking: Booking) => booking.messages.map(({ seq }) => seq);

test('a message that is larger than a server reads fails at once, and nothing waits behind it', async () => {
  const id = await server.booking();
  const other = await server.booking(undefined, { driver: `${id}-driver` });
  const chat = await clientFor('driver', `${id}-driver`);
  const booking = chat.booking(id);
  await booking.join();
  const huge = outcome(booking.send({ text: '\u{1f600}'.repeat(20_000) }));
  const next = booking.send({ text: 'and a short one' });
  const elsewhere = chat.booking(other).send({ text: 'to somebody else' });
  expect(await huge).toMatchObject({ code: 'invalid', retryable: false, details: [{ path: 'body' }] });
  expect((await next).message.seq).toBe(1);
  expect((await elsewhere).message.seq).toBe(1);
  expect(booking.messages.map(({ state }) => state)).toEqual(['stored', 'failed']);
  expect(chat.state).toBe('online');
  // As long as a text may be, in the characters that take the most room.
  expect((await booking.send({ text: '\u{1f600}'.repeat(4_000) })).message.seq).toBe(2);
  expect((await booking.send({ text: '\u0001'.repeat(4_000) })).message.seq).toBe(3);
});

test('a chat that opens later is joined by itself', async () => {
  const id = await server.booking(undefined, { driver: null, status: 'pending' });
  const chat = await clientFor('customer', `${id}-customer`);
  const booking = chat.booking(id);
  expect(await outcome(booking.join({ history: 10 }))).toMatchObject({ code: 'chat_closed' });
  expect(booking.joined).toBe(false);
  await server.booking(id, { driver: `${id}-driver`, customer: `${id}-customer` });
  await until('the seat is taken', () => booking.joined);
  const driver = (await clientFor('driver', `${id}-driver`)).booking(id);
  await driver.join();
  await driver.send({ text: 'On my way' });
  await until('the message is told, and ticked', () => driver.messages[0]?.state === 'delivered');
  expect(seqs(booking)).toEqual([1]);
});

test('a driver who gets the seat back goes on by themselves, with what the new seat may see', async () => {
  const id = await server.booking();
  const [driver, customer] = await both(id);
  await customer.send({ text: 'to the first' });
  await until('it arrives', () => driver.messages.length === 1);
  await server.booking(id, { driver: `${id}-second`, customer: `${id}-customer` });
  await until('the seat is lost', () => !driver.joined);
  await customer.send({ text: 'to the second' });
  await server.booking(id, { driver: `${id}-driver`, customer: `${id}-customer` });
  await until('the seat is back', () => driver.joined);
  await customer.send({ text: 'to the first again' });
  await until('it arrives', () => driver.messages.length === 2);
  expect(seqs(driver)).toEqual([1, 3]);
});

test('an answer has read what it answers', async () => {
  const id = await server.booking();
  const [driver, customer] = await both(id);
  await driver.send({ text: 'one' });
  await driver.send({ text: 'two' });
  await until('they are unread', () => customer.unread === 2);
  await customer.send({ text: 'seen' });
  expect(customer.unread).toBe(0);
  expect(customer.receipts.own).toEqual({ delivered_seq: 3, read_seq: 3 });
  const view = await customer.join();
  expect(view).toMatchObject({ delivered_seq: 3, read_seq: 3 });
});

test('nothing is taken from an app whose client is closed, or that says nothing at all', async () => {
  const id = await server.booking();
  const chat = await clientFor('driver', `${id}-driver`);
  const booking = chat.booking(id);
  await booking.join();
  expect(await outcome(booking.send(undefined as never))).toMatchObject({ code: 'invalid' });
  expect(await outcome(booking.send('text' as never))).toMatchObject({ code: 'invalid' });
  chat.pause();
  const kept = outcome(booking.send({ text: 'kept' }));
  await chat.close();
  // Another try would be another message.
  expect(await kept).toMatchObject({ code: 'closed', retryable: false });
  expect(await outcome(booking.send({ text: 'too late' }))).toMatchObject({ code: 'closed' });
  expect(booking.messages.map(({ body }) => body)).toEqual([{ text: 'kept' }]);
});

test('with `user` given, a token of somebody else still ends the client, and an error page does not', async () => {
  const id = await server.booking();
  const user = { user_id: `${id}-customer`, scope: 'customer' as const };
  let person = 'customer';
  const swapped = make({ user, token: () => server.token(person as 'driver', `${id}-${person}`) });
  swapped.pause();
  const said = outcome(swapped.booking(id).send({ text: 'I am the customer' }));
  person = 'driver';
  expect(await outcome(swapped.connect())).toMatchObject({ code: 'token' });
  expect(swapped.state).toBe('closed');
  await swapped.close();
  expect(await said).toMatchObject({ code: 'closed' });
  let asked = 0;
  const patient = make({
    user,
    token: async () => ((asked += 1) < 3 ? '<html>502</html>' : server.token('customer', `${id}-customer`)),
  });
  await patient.connect();
  expect(asked).toBe(3);
  const { messages } = await patient.booking(id).list();
  expect(messages).toEqual([]);
});

test('a server that takes the call and says nothing is told of', async () => {
  const open = new Set<Socket>();
  const mute = createServer((socket) => void open.add(socket.on('error', () => socket.destroy())));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const id = await server.booking();
  const chat = make({
    url: `http://127.0.0.1:${(mute.address() as AddressInfo).port}`,
    token: await server.token('driver', `${id}-driver`),
    ackTimeoutMs: 300,
  });
  const errors: string[] = [];
  chat.on('error', ({ code }) => errors.push(code));
  void chat.connect();
  await until('two attempts have failed', () => errors.length >= 2);
  expect(new Set(errors)).toEqual(new Set(['timeout']));
  await chat.close();
  for (const socket of open) socket.destroy();
  mute.close();
});

test('whoever joins without `connect` also hears when the network is back, until the end', async () => {
  const listening = new Set<string>();
  vi.stubGlobal('addEventListener', (name: string) => void listening.add(name));
  vi.stubGlobal('removeEventListener', (name: string) => void listening.delete(name));
  const id = await server.booking();
  const chat = await clientFor('driver', `${id}-driver`);
  await chat.booking(id).join();
  expect([...listening]).toEqual(['online']);
  await chat.close();
  expect([...listening]).toEqual([]);
});
