import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { frame, RawLink, RawPolling } from './harness/raw-link.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WebSocket } from 'ws';
import { WatchedServer } from './harness/vital-signs.js';

const SEPARATOR = '\u001e';
const PAYLOAD = 65_536;
let watched: WatchedServer;
let url: string;
let token: string;

beforeAll(async () => {
  watched = await WatchedServer.start();
  url = watched.server.url;
});
afterAll(() => watched.stop());

const stranger = async () => undefined;
const known = async () => (token = await watched.server.token('driver', `hostile-${crypto.randomUUID()}`));

/** As many packets as a payload of this size holds. */
const fill = (packet: string, bytes: number) =>
  Array.from({ length: Math.floor((bytes + 1) / (packet.length + 1)) }, () => packet).join(SEPARATOR);

describe.each([
  ['of a stranger', stranger],
  ['of an authenticated person', known],
])('hostile bytes %s', (who, identify) => {
  test.each([
    ['unknown commands', '42["a"]'],
    ['sends without what a message needs', '42["message.send",{}]'],
    ['heartbeats', '3'],
    ['noops', '6'],
    ['refused JSON', '42{'],
    ['names of Socket.IO itself', '42["connect"]'],
  ])('two megabytes of tiny websocket frames, %s, end the connection', async (what, packet) => {
    const bytes = Buffer.concat(
      Array.from({ length: Math.floor((2 * 1_048_576) / (packet.length + 6)) }, () => frame(packet)),
    );
    const identity = await identify();
    const harm = await underAttack(watched, `2 MB of tiny frames (${what}) ${who}`, async () => {
      for (let round = 0; round < 3; round += 1) {
        const link = await RawLink.open(url, identity);
        void link.write(bytes);
        await link.untilClosed();
      }
    });
    expectHarmless(harm);
  });

  test.each([
    ['pings', 9],
    ['pongs', 10],
  ])('two megabytes of websocket %s end the connection', async (what, opcode) => {
    const bytes = Buffer.concat(Array.from({ length: 350_000 }, () => frame('', { opcode })));
    const identity = await identify();
    const harm = await underAttack(watched, `2 MB of websocket ${what} ${who}`, async () => {
      for (let round = 0; round < 3; round += 1) {
        const link = await RawLink.open(url, identity);
        void link.write(bytes);
        await link.untilClosed();
      }
    });
    expectHarmless(harm);
  });

  test('full polling payloads of tiny packets end the connection', async () => {
    const identity = await identify();
    const body = fill('42["a"]', identity === undefined ? 10_000 : PAYLOAD);
    const harm = await underAttack(watched, `polling payloads full of tiny packets ${who}`, async () => {
      for (let round = 0; round < 5; round += 1) {
        const polling = await RawPolling.open(url, identity);
        await polling.post(body);
        const { status, text } = await polling.poll();
        expect(status === 200 ? text.split(SEPARATOR).at(-1) : 'gone').toMatch(/^(1|gone)$/);
      }
    });
    expectHarmless(harm);
  });

  test('thousands of namespaces end the connection', async () => {
    const identity = await identify();
    const bytes = Buffer.concat(Array.from({ length: 5_000 }, (_, index) => frame(`40/room-${index},{}`)));
    const harm = await underAttack(watched, `5,000 namespaces ${who}`, async () => {
      for (let round = 0; round < 5; round += 1) {
        const link = await RawLink.open(url, identity);
        void link.write(bytes);
        await link.untilClosed();
        expect(link.heard.length).toBeLessThan(30);
      }
    });
    expectHarmless(harm);
  });

  test('payloads over the limit are refused while they come in', async () => {
    const identity = await identify();
    const big = frame(`42["message.send",{"x":"${'x'.repeat(8 * 1_048_576)}"}]`);
    const harm = await underAttack(watched, `8 MB frames and payloads ${who}`, async () => {
      for (let round = 0; round < 4; round += 1) {
        const link = await RawLink.open(url, identity);
        void link.write(big);
        await link.untilClosed();
        const polling = await RawPolling.open(url, identity);
        const { status } = await polling.post('x'.repeat(4 * 1_048_576));
        expect([0, 413]).toContain(status);
      }
    });
    expectHarmless(harm);
  });

  test('half a message in countless fragments, on two hundred connections, costs next to nothing', async () => {
    const identity = await identify();
    const bytes = Buffer.concat([
      frame('4', { fin: false }),
      ...Array.from({ length: 9_000 }, () => frame('x', { opcode: 0, fin: false })),
    ]);
    const links: RawLink[] = [];
    const harm = await underAttack(
      watched,
      `200 connections, each with half a message in 9,000 fragments ${who}`,
      async () => {
        for (let index = 0; index < (identity === undefined ? 200 : 100); index += 1) {
          const link = await RawLink.open(url, identity);
          links.push(link);
          await link.write(bytes);
        }
      },
    );
    for (const link of links) link.end();
    expectHarmless(harm);
  });

  test('binary attachments that never come', async () => {
    const identity = await identify();
    const links: RawLink[] = [];
    const room = identity === undefined ? 9_000 : 60_000;
    const header = `459-["message.send",{"_placeholder":true,"num":0,"pad":"${'x'.repeat(room)}"}]`;
    const harm = await underAttack(watched, `100 connections that wait for attachments ${who}`, async () => {
      for (let index = 0; index < 100; index += 1) {
        const link = await RawLink.open(url, identity);
        links.push(link);
        await link.write(frame(header));
        for (let part = 0; part < 8; part += 1) await link.write(frame(Buffer.alloc(room)));
      }
    });
    await Promise.all(links.map((link) => link.untilClosed()));
    expectHarmless(harm);
  });
});

test('a person who asks with an attachment is answered', async () => {
  const person = await Person.connect(watched.server, await known());
  const { error } = await person.ask('message.send', { booking_id: 'b', body: Buffer.from('bytes') });
  expect(error?.code).toBe('invalid');
  person.leave();
});

// Just below what ends a connection: each is answered.
const MANY = 1_400;
const NOT_A_MESSAGE = '42["message.send",{}]';

test.each([
  ['whole', frame(NOT_A_MESSAGE)],
  ['in fragments', Buffer.concat([frame('42["message.send",', { fin: false }), frame('{}]', { opcode: 0 })])],
])('refused commands in one piece are answered in turns, frames %s', async (how, packet) => {
  const bytes = Buffer.concat(Array.from({ length: MANY }, () => packet));
  const identity = await known();
  const harm = await underAttack(watched, `${MANY} refused commands in one piece, ${how}`, async () => {
    const link = await RawLink.open(url, identity);
    const before = link.heard.length;
    void link.write(bytes);
    await link.until(() => link.heard.length === before + MANY);
    link.tcp.destroy();
  });
  expectHarmless(harm);
});

test('refused commands in one polling payload are answered', async () => {
  const identity = await known();
  const body = Array.from({ length: MANY }, () => NOT_A_MESSAGE).join(SEPARATOR);
  const harm = await underAttack(watched, `${MANY} refused commands in one polling payload`, async () => {
    const polling = await RawPolling.open(url, identity);
    await polling.post(body);
    let told = 0;
    while (told < MANY) {
      const { status, text } = await polling.poll();
      expect(status).toBe(200);
      told += text.split(SEPARATOR).filter((packet) => packet.startsWith('42["exception"')).length;
    }
  });
  expectHarmless(harm);
});

test('a websocket that knocks on a polling session without end is closed with it', async () => {
  await known();
  const polling = await RawPolling.open(url, token);
  const harm = await underAttack(watched, 'a flood of upgrade probes', async () => {
    const knocking = new WebSocket(
      polling.url.replace('http', 'ws').replace('transport=polling', 'transport=websocket'),
    );
    await new Promise((resolve) => knocking.once('open', resolve));
    const closed = new Promise((resolve) => knocking.once('close', resolve));
    for (let index = 0; index < 20_000; index += 1) knocking.send('2probe');
    await closed;
  });
  expectHarmless(harm);
  expect((await polling.poll()).status).toBe(400);
});
