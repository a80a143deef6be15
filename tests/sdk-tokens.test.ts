import { createClient, type ChatClient, type ClientOptions, type ConnectionState } from '@curbline/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

const watch = (token: ClientOptions['token'], url = server.url) => {
  const chat = createClient({
    url,
    token,
    transports: storyTransports,
    outbox: 'memory',
    reconnectMs: { min: 50, max: 500 },
  });
  clients.push(chat);
  const states: ConnectionState[] = [];
  const errors: string[] = [];
  chat.on('state', (state) => states.push(state));
  chat.on('error', ({ code }) => errors.push(code));
  return { chat, states, errors };
};

test('before a token ends, the live socket gets a new one and stays', async () => {
  const id = await server.booking();
  let asked = 0;
  const { chat, states } = watch(async () => {
    asked += 1;
    // The first one is so short that its end is announced at once.
    return server.token('customer', `${id}-customer`, asked === 1 ? 3 : 600);
  });
  const announced: string[] = [];
  chat.on('token.expiring', ({ expires_at }) => announced.push(expires_at));
  await chat.booking(id).join();
  await until('a second token was asked for', () => asked === 2);
  await new Promise((resolve) => setTimeout(resolve, Date.parse(announced[0] ?? '') - Date.now() + 1_500));
  expect(chat.state).toBe('online');
  expect(states).toEqual(['connecting', 'online']);
}, 30_000);

test('a token that is never renewed ends a client with a fixed token', async () => {
  const id = await server.booking();
  const { chat, states, errors } = watch(await server.token('customer', `${id}-customer`, 2));
  await chat.connect();
  await until('it is over', () => chat.state === 'closed');
  expect(states).toEqual(['connecting', 'online', 'closed']);
  expect(errors).toEqual(['unauthenticated']);
  await expect(chat.booking(id).join()).rejects.toMatchObject({ code: 'closed' });
});

test('revocation closes the client for good, whatever its token function would say', async () => {
  const id = await server.booking();
  const { chat, errors } = watch(() => server.token('customer', `${id}-customer`));
  await chat.connect();
  await server.rest('DELETE', `/v1/users/customer/${id}-customer/sessions`);
  await until('it is closed', () => chat.state === 'closed');
  expect(errors).toEqual(['unauthenticated']);
});

test('a refused token is asked for anew once; a second refusal is final', async () => {
  const id = await server.booking();
  const good = await server.token('customer', `${id}-customer`);
  const bad = `${good.slice(0, -6)}xxxxxx`;
  let asked = 0;
  const second = watch(() => ((asked += 1) === 1 ? bad : good));
  await second.chat.connect();
  expect(asked).toBe(2);
  expect(second.states, 'with a pause between').toEqual(['connecting', 'offline', 'online']);
  const never = watch(() => bad);
  await expect(never.chat.connect()).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(never.chat.state).toBe('closed');
  expect(never.errors).toEqual(['unauthenticated']);
});

test('a token function that fails is tried again', async () => {
  const id = await server.booking();
  let asked = 0;
  const { chat, errors } = watch(async () => {
    asked += 1;
    if (asked < 3) throw new Error('no network');
    return server.token('customer', `${id}-customer`);
  });
  await chat.connect();
  expect(asked).toBe(3);
  expect(errors).toEqual(['token', 'token']);
});

test("a proxy's error page in place of a token is asked again, not the end of the client", async () => {
  const id = await server.booking();
  let asked = 0;
  const { chat, errors } = watch(async () => {
    asked += 1;
    if (asked < 3) return '<html><h1>502 Bad Gateway</h1></html>';
    return server.token('customer', `${id}-customer`);
  });
  await chat.connect();
  expect(asked).toBe(3);
  expect(errors).toEqual(['token', 'token']);
  const fixed = watch('<html>');
  await expect(fixed.chat.connect()).rejects.toMatchObject({ code: 'token', retryable: false });
  expect(fixed.chat.state).toBe('closed');
});

test('a token that arrives after the client was closed opens nothing again', async () => {
  const id = await server.booking();
  const token = await server.token('customer', `${id}-customer`);
  let give!: (token: string) => void;
  const { chat } = watch(() => new Promise((resolve) => void (give = resolve)));
  const refused = chat.connect().catch((error: unknown) => error);
  await chat.close();
  give(token);
  expect(await refused).toMatchObject({ code: 'closed' });
  await new Promise(setImmediate);
  expect(chat.user).toBeUndefined();
  expect(chat.state).toBe('closed');
});

test('a client never carries the outbox of one person to another', async () => {
  const id = await server.booking();
  let asked = 0;
  const { chat } = watch(() =>
    server.token('customer', (asked += 1) === 1 ? `${id}-customer` : 'somebody-else'),
  );
  await chat.connect();
  chat.pause();
  await expect(chat.connect()).rejects.toMatchObject({ code: 'token' });
  expect(chat.state).toBe('closed');
});
