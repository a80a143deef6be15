import type { MessageObject } from '@curbline/contract';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { pair, type Person } from './harness/people.js';
import { frame, RawLink, RawPolling } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';

/** More than a socket is served in one turn of the event loop, in less than one payload. */
const MANY = 300;
const POSTS = 3;
const SEPARATOR = '\u001e';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ CURBLINE_MESSAGES_PER_S: '0' });
});
afterAll(() => server.stop());

const words = Array.from({ length: MANY }, (_, index) => `message ${index}`);

const sendOf = (booking_id: string) => (text: string) =>
  `42["message.send",${JSON.stringify({ booking_id, client_id: crypto.randomUUID(), kind: 'text', body: { text } })}]`;

/** What the customer was told, in the order of the log, once so many messages are there. */
async function told(customer: Person, count: number): Promise<string[]> {
  await customer.hears<{ message: MessageObject }>('message.created', ({ message }) => message.seq === count);
  return customer
    .told<{ message: MessageObject }>('message.created')
    .sort((a, b) => a.message.seq - b.message.seq)
    .map(({ message }) => (message.body as { text: string }).text);
}

async function people() {
  const { booking_id, driver, customer } = await pair(server);
  driver.leave();
  const token = await server.token('driver', `${booking_id}-driver`);
  return { send: sendOf(booking_id), customer, token };
}

test.each([
  ['whole', (text: string) => frame(text)],
  [
    'each in two fragments',
    (text: string) =>
      Buffer.concat([frame(text.slice(0, 40), { fin: false }), frame(text.slice(40), { opcode: 0 })]),
  ],
])('frames in one piece, %s, before a client hangs up, are stored in order', async (_, framed) => {
  const { send, customer, token } = await people();
  const link = await RawLink.open(server.url, token);
  const write = () => void link.write(Buffer.concat(words.map((text) => framed(send(text)))));
  write();
  expect(await told(customer, MANY)).toEqual(words);
  write();
  link.tcp.end();
  expect(await told(customer, 2 * MANY)).toEqual([...words, ...words]);
  await link.untilClosed();
  customer.leave();
});

test('a polling payload that ends with leaving is stored in order', async () => {
  const { send, customer, token } = await people();
  const polling = await RawPolling.open(server.url, token);
  await polling.post([...words.map(send), '41'].join(SEPARATOR));
  expect(await told(customer, MANY)).toEqual(words);
  customer.leave();
});

test('what is sent on the websocket does not overtake what was sent by polling', async () => {
  const { send, customer, token } = await people();
  const polling = await RawPolling.open(server.url, token);
  const websocket = new WebSocket(
    `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${polling.sid}`,
  );
  await once(websocket, 'open');
  websocket.send('2probe');
  await once(websocket, 'message');
  // So that the server is still at them when the websocket is the way.
  for (let post = 1; post <= POSTS; post += 1) await polling.post(words.map(send).join(SEPARATOR));
  websocket.send('5');
  const later = Array.from({ length: 10 }, (_, index) => `later ${index}`);
  for (const text of later) {
    websocket.send(send(text));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const polled = Array.from({ length: POSTS }, () => words).flat();
  expect(await told(customer, polled.length + later.length)).toEqual([...polled, ...later]);
  websocket.terminate();
  customer.leave();
});
