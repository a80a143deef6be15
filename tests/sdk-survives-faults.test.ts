import { createClient, type ChatClient } from '@curbline/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
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

const open = (token: string | (() => Promise<string>)): ChatClient => {
  const client = createClient({
    url: server.url,
    token,
    transports: storyTransports,
    outbox: 'memory',
    reconnectMs: { min: 50, max: 500 },
  });
  clients.push(client);
  return client;
};

test('the server is killed three times in the middle of sends: all stored once, in order, told once', async () => {
  const id = await server.booking();
  let tokens = 0;
  const current = await server.token('driver', `${id}-driver`);
  const driverChat = open(async () => {
    tokens += 1;
    return current;
  });
  const driver = driverChat.booking(id);
  const customer = open(await server.token('customer', `${id}-customer`)).booking(id);
  const told: { driver: string[]; customer: string[] } = { driver: [], customer: [] };
  driver.on('message.created', ({ body }) => told.driver.push((body as { text: string }).text));
  customer.on('message.created', ({ body }) => told.customer.push((body as { text: string }).text));
  await Promise.all([driver.join(), customer.join()]);

  const said: string[] = [];
  const sent: Promise<unknown>[] = [];
  for (let kill = 0; kill < 3; kill += 1) {
    for (let n = 0; n < 40; n += 1) {
      said.push(`${kill}-${n}`);
      sent.push(driver.send({ text: `${kill}-${n}` }));
    }
    const enough = said.length - 30;
    await until('some are stored', () => driver.messages.filter(({ seq }) => seq).length >= enough, 20_000);
    await server.kill();
    expect(driver.messages.some(({ state }) => state === 'queued')).toBe(true);
    await server.up();
  }
  await Promise.all(sent);
  await until('the customer has all', () => told.customer.length === said.length);
  expect(told.driver).toEqual(said);
  expect(told.customer).toEqual(said);
  expect(driver.messages.map(({ seq }) => seq)).toEqual(said.map((_, index) => index + 1));
  expect(tokens, 'the token function is asked for each connection').toBeGreaterThanOrEqual(4);
}, 120_000);

test('a client that was away misses nothing: 10 000 messages within 3 s, in order, once', async () => {
  const id = await server.booking();
  const driver = await Person.connect(server, await server.token('driver', `${id}-driver`));
  const awayChat = open(await server.token('customer', `${id}-customer`));
  const away = awayChat.booking(id);
  const told: number[] = [];
  away.on('message.created', ({ seq }) => told.push(seq));
  await away.join();
  awayChat.pause();
  expect(awayChat.state).toBe('offline');
  const missed = 10_000;
  const sent = Array.from({ length: missed }, (_, index) => `n${index + 1}`);
  while (sent.length > 0) await Promise.all(sent.splice(0, 200).map((text) => driver.send(id, text)));
  // Said while away: it comes after what was missed.
  const answer = away.send({ text: 'back' });
  const start = performance.now();
  await awayChat.connect();
  await until('all is there', () => told.length > missed);
  const tookMs = performance.now() - start;
  expect(told).toEqual(Array.from({ length: missed + 1 }, (_, index) => index + 1));
  expect(away.messages.map(({ body }) => (body as { text: string }).text).slice(-2)).toEqual([
    `n${missed}`,
    'back',
  ]);
  expect((await answer).message.seq).toBe(missed + 1);
  expect(tookMs).toBeLessThan(3_000);
  driver.leave();
}, 120_000);

test('a server that drains lets clients come back by themselves', async () => {
  const id = await server.booking();
  const chat = open(await server.token('customer', `${id}-customer`));
  const farewells: string[] = [];
  chat.on('disconnected', ({ reason }) => farewells.push(reason));
  await chat.booking(id).join();
  await server.kill('SIGTERM');
  await until('the link is gone', () => chat.state === 'offline');
  expect(farewells).toEqual(['shutting_down']);
  await server.up();
  await until('it is back', () => chat.state === 'online');
  await expect(chat.booking(id).send({ text: 'still here' })).resolves.toMatchObject({ duplicate: false });
}, 60_000);
