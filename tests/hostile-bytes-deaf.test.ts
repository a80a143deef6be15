import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { RawLink, RawPolling } from './harness/raw-link.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WatchedServer } from './harness/vital-signs.js';

const PAGE = 200;
let watched: WatchedServer;
let booking_id: string;

beforeAll(async () => {
  // Unlimited sending, so that a full page is there at once; reads are bounded all the same.
  watched = await WatchedServer.start({ CURBLINE_MESSAGES_PER_S: '0' });
  const people = await pair(watched.server);
  ({ booking_id } = people);
  await Promise.all(Array.from({ length: PAGE }, () => people.driver.send(booking_id, 'x'.repeat(4_000))));
  people.driver.leave();
  people.customer.leave();
});
afterAll(() => watched.stop());

const token = () => watched.server.token('driver', `${booking_id}-driver`);
/** A page of 800 kB. */
const list = (id: number) => `42${id}["message.list",{"booking_id":"${booking_id}","limit":${PAGE}}]`;

test('a websocket that asks for 160 MB and never reads is closed, and told why when it reads again', async () => {
  const link = await RawLink.open(watched.server.url, await token());
  link.goDeaf();
  const harm = await underAttack(watched, 'a websocket that asks for 160 MB and never reads', async () => {
    for (let id = 0; id < 200; id += 1) link.say(list(id));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    link.hearAgain();
    await link.untilClosed(20_000);
  });
  expectHarmless(harm);
  expect(link.heard.slice(-2).map((text) => text.slice(0, 100))).toContain(
    '42["disconnected",{"reason":"slow_consumer","message":"Socket disconnected"}]',
  );
  expect(link.heard.filter((text) => text.startsWith('43')).length).toBeLessThan(30);
});

test('ten websockets that others write to and that never read are cut off', async () => {
  const { server } = watched;
  const { booking_id: room, driver, customer } = await pair(server);
  const deafToken = await server.token('customer', `${room}-customer`);
  const deaf = await Promise.all(Array.from({ length: 10 }, () => RawLink.open(server.url, deafToken)));
  for (const link of deaf) link.goDeaf();
  let sent = 0;
  const harm = await underAttack(
    watched,
    'ten websockets that others write 12 MB to and that never read',
    async () => {
      for (; sent < 3_000; sent += 100) {
        await Promise.all(Array.from({ length: 100 }, () => driver.send(room, 'y'.repeat(4_000))));
      }
      await new Promise((resolve) => setTimeout(resolve, 5_500));
    },
  );
  expectHarmless(harm);
  for (const link of deaf) link.hearAgain();
  await Promise.all(deaf.map((link) => link.untilClosed()));
  // Who reads has missed nothing.
  await customer.hears<{ message: { seq: number } }>(
    'message.created',
    ({ message }) => message.seq === sent,
  );
  for (const person of [driver, customer]) person.leave();
});

test('a polling client that asks and never polls is closed', async () => {
  const harm = await underAttack(
    watched,
    'a polling client that asks for 160 MB and never polls',
    async () => {
      const polling = await RawPolling.open(watched.server.url, await token());
      for (let id = 0; id < 200; id += 1) {
        const { status } = await polling.post(list(id));
        if (status !== 200) break;
      }
      await expect.poll(async () => (await polling.post('3')).status, { timeout: 10_000 }).not.toBe(200);
    },
  );
  expectHarmless(harm);
});

test('a polling client that never reads the answers of its polls costs next to nothing', async () => {
  const { url } = watched.server;
  const { hostname, port } = new URL(url);
  const harm = await underAttack(
    watched,
    'a polling client that polls 40 times, for 32 MB, and never reads',
    async () => {
      const polling = await RawPolling.open(url, await token());
      const { pathname, search } = new URL(polling.url);
      const unread = [];
      for (let id = 0; id < 40; id += 1) {
        const { status } = await polling.post(list(id));
        if (status !== 200) break;
        const tcp = connect(Number(port), hostname).pause();
        tcp.on('error', () => tcp.destroy());
        await once(tcp, 'connect');
        tcp.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
        unread.push(tcp);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // Closed, or held by the network's own buffers: the server may not pay for it either way.
      for (const tcp of unread) tcp.destroy();
    },
  );
  expectHarmless(harm);
});

test('one page that is larger than the cap does not close a client that reads', async () => {
  const { server } = watched;
  const { booking_id: room, driver, customer } = await pair(server);
  for (let batch = 0; batch < 6; batch += 1) {
    await Promise.all(Array.from({ length: 25 }, () => driver.send(room, '😀'.repeat(4_000))));
  }
  const { messages } = await customer.data<{ messages: unknown[] }>('message.list', {
    booking_id: room,
    limit: PAGE,
  });
  expect(messages.length).toBeGreaterThan(0);
  expect(customer.socket.connected).toBe(true);
  for (const person of [driver, customer]) person.leave();
});

test('eighty websockets of one person that ask for a page again and again, are written to and never read are cut off', async () => {
  const mine = await token();
  const other = await Person.as(watched.server, 'customer', `${booking_id}-customer`);
  const deaf = await Promise.all(Array.from({ length: 80 }, () => RawLink.open(watched.server.url, mine)));
  for (const link of deaf) link.goDeaf();
  const asked = await underAttack(
    watched,
    'eighty websockets of one person that ask for 800 MB and never read',
    async () => {
      for (let id = 0; id < 12; id += 1) {
        for (const link of deaf) link.say(list(id));
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
  );
  expectHarmless(asked);
  // Pages leave at a measured pace, so that the network may hold all of these. It cannot hold what others write.
  const written = await underAttack(
    watched,
    'the same eighty, to whom others write up to 640 MB',
    async () => {
      for (let sent = 0; sent < 2_000; sent += 10) {
        await Promise.all(Array.from({ length: 10 }, () => other.send(booking_id, 'y'.repeat(4_000))));
      }
    },
  );
  expectHarmless(written);
  for (const link of deaf) link.hearAgain();
  await expect.poll(() => deaf.filter((link) => link.closed).length, { timeout: 20_000 }).toBe(deaf.length);
  for (const link of deaf) link.tcp.destroy();
  other.leave();
});
