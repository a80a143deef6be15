import { once } from 'node:events';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenPacketRule } from './harness/packet-rules.js';
import { RawPolling } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';

const SEPARATOR = '\u001e';
const LIMIT_MS = 15_000;

/** A client that keeps every packet as it came, and speaks the protocol by hand. */
interface Recorder {
  readonly packets: string[];
  say(packet: string): Promise<void>;
  close(): void;
}

async function overWebsocket(url: string): Promise<Recorder> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const packets: string[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const text = data.toString();
    packets.push(isBinary ? `binary ${text}` : text);
    if (text === '2') socket.send('3');
  });
  await once(socket, 'open');
  return {
    packets,
    say: (packet) =>
      new Promise((resolve) => {
        socket.send(packet, () => resolve());
      }),
    close: () => socket.close(),
  };
}

async function overPolling(url: string): Promise<Recorder> {
  const polling = await RawPolling.open(url);
  const packets: string[] = [];
  let open = true;
  const listen = async () => {
    while (open) {
      const { status, text } = await polling.poll();
      if (status !== 200) return;
      for (const packet of text.split(SEPARATOR)) {
        packets.push(packet);
        if (packet === '2') await polling.post('3');
      }
    }
  };
  void listen();
  return {
    packets,
    say: async (packet) => {
      // Two data requests at once are a fault of the client.
      const { status } = await polling.post(packet);
      if (status !== 200) throw new Error(`the payload was refused: ${status}`);
    },
    close: () => {
      open = false;
      void polling.post('1');
    },
  };
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (const from = performance.now(); performance.now() - from < LIMIT_MS;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}

const engines = ['lean', 'stock'] as const;
const servers = new Map<string, TestServer>();
beforeAll(async () => {
  for (const CURBLINE_SOCKET_ENGINE of engines) {
    // A heartbeat or two belong to the story.
    const env = { CURBLINE_PING_INTERVAL_MS: '300', CURBLINE_SOCKET_ENGINE };
    servers.set(CURBLINE_SOCKET_ENGINE, await TestServer.start(env));
  }
});
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

let nextId = 0;
/** Sends a command and waits for its answer, as text. */
async function ask(recorder: Recorder, command: string, payload: unknown): Promise<string> {
  const id = (nextId += 1);
  await recorder.say(`42${id}${JSON.stringify([command, payload])}`);
  return until(() => recorder.packets.find((packet) => packet.startsWith(`43${id}[`)));
}
const hears = (recorder: Recorder, event: string) =>
  until(() => recorder.packets.find((packet) => packet.startsWith(`42["${event}"`)));

/** A driver's and a customer's whole story, with what goes wrong in it; returns all that the server has sent. */
async function story(server: TestServer, open: (url: string) => Promise<Recorder>): Promise<string[]> {
  const booking_id = await server.booking();
  const [driver, customer, stranger] = await Promise.all([
    open(server.url),
    open(server.url),
    open(server.url),
  ]);
  await stranger.say('40{"token":"no"}');
  await until(() => stranger.packets.find((packet) => packet.startsWith('44')));
  for (const [recorder, scope] of [
    [driver, 'driver'],
    [customer, 'customer'],
  ] as const) {
    await recorder.say(
      `40${JSON.stringify({ token: await server.token(scope, `${booking_id}-${scope}`, 30) })}`,
    );
    await until(() => recorder.packets.find((packet) => packet.startsWith('40')));
  }
  // Tokens of half a minute are warned of at once.
  await hears(driver, 'token.expiring');
  await ask(driver, 'connection-established', { booking_id });
  await ask(customer, 'booking.join', { booking_id, after_seq: 0 });
  await hears(customer, 'create-connection');
  const client_id = crypto.randomUUID();
  const message = { booking_id, client_id, kind: 'text', body: { text: 'नमस्ते 👋' } };
  await ask(driver, 'message.send', message);
  await hears(customer, 'message.created');
  await ask(driver, 'message.send', message);
  await ask(driver, 'message.send', { ...message, body: { text: 'another content' } });
  await ask(customer, 'receipt.mark', { booking_id, read_seq: 1 });
  await hears(driver, 'receipt.updated');
  await ask(customer, 'typing.set', { booking_id, typing: true });
  await hears(driver, 'typing.updated');
  await ask(driver, 'location.share', { booking_id, lat: 28.6, lng: 77.2 });
  await hears(customer, 'location.updated');
  await ask(driver, 'message.list', { booking_id });
  await ask(driver, 'booking.list', {});
  await ask(customer, 'sync', {
    bookings: [
      { booking_id, after_seq: 0 },
      { booking_id: 'none', after_seq: 0 },
    ],
  });
  await ask(customer, 'token.refresh', { token: 'no' });
  await ask(customer, 'no.such.command', {});
  await ask(customer, 'message.list', { booking_id: 'none' });
  // Without a callback; nothing, and something else than an object, as payload.
  await customer.say('42["message.list"]');
  await hears(customer, 'exception');
  await customer.say('42["message.list",1,"two",[3]]');
  await server.booking(booking_id, { status: 'completed' });
  await hears(driver, 'booking.updated');
  await server.booking(booking_id, { driver: 'another-driver', status: 'accepted' });
  await until(() => driver.packets.find((packet) => packet.includes('"unassigned"')));
  // A quick story is over before the first heartbeat.
  await until(() => driver.packets.find((packet) => packet === '2'));
  customer.close();
  await server.rest('DELETE', `/v1/users/driver/${booking_id}-driver/sessions`);
  await hears(driver, 'disconnected');
  for (const recorder of [driver, stranger]) recorder.close();
  return [driver, customer, stranger].flatMap((recorder) => recorder.packets);
}

const cases = engines.flatMap((engine) => [
  ['websocket', engine, overWebsocket] as const,
  ['polling', engine, overPolling] as const,
]);

describe.each(cases)('every packet of a story over %s on the %s engine', (_, engine, open) => {
  test('is an event with one object, an answer with one object, or of the protocol itself', async () => {
    const packets = await story(servers.get(engine)!, open);
    for (const packet of packets) expect(brokenPacketRule(packet), packet).toBeUndefined();
    const events = packets.filter((packet) => packet.startsWith('42'));
    const answers = packets.filter((packet) => packet.startsWith('43'));
    const names = new Set(events.map((packet) => (JSON.parse(packet.slice(2)) as [string])[0]));
    const ids = answers.map((packet) => /^43(\d+)/.exec(packet)?.[1]);
    expect(new Set(ids).size, 'one answer for each request').toBe(ids.length);
    expect([...names].sort()).toEqual(
      expect.arrayContaining([
        'booking.updated',
        'create-connection',
        'disconnected',
        'exception',
        'location.updated',
        'message.created',
        'presence.updated',
        'receipt.updated',
        'token.expiring',
        'typing.updated',
      ]),
    );
    expect(answers).toHaveLength(14);
  });
});

test.each([
  ['42["typing.updated",{}]', undefined],
  ['431[{"data":{}}]', undefined],
  ['427["typing.updated",{}]', 'an event asks for an ack'],
  ['42["typing.updated",{},1]', 'an event is not a name and one object'],
  ['42["typing.updated",[]]', 'an event is not a name and one object'],
  ['42["message.created",{"seq":9007199254740992}]', 'a number is not below 2^53'],
  ['431[{"data":{}},{}]', 'an answer is not one object'],
  ['431[{"data":{},"error":{}}]', 'an answer is neither data nor error'],
  ['43[{"data":{}}]', 'an answer has no id'],
  ['451-["x",{"_placeholder":true,"num":0}]', 'it is of no kind that a client knows'],
])('the rules that every story holds packets to see what is wrong with %s', (packet, broken) => {
  expect(brokenPacketRule(packet)).toBe(broken);
});
