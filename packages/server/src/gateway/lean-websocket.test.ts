import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebSocketServer } from 'ws';
import { LeanWebSocketServer, StockWebSocketServer } from './websocket-engine.js';

const MAX_PAYLOAD = 4_096;
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: test',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** What came of some bytes: what was read, what was answered, and whether the connection was ended. */
interface Outcome {
  readonly messages: string[];
  readonly answered: string;
  readonly closed: boolean;
}

/** A server that keeps what it reads of each connection; messages that begin with `echo` are sent back. */
class Reading {
  readonly http: Server = createServer();
  private messages: string[] = [];

  constructor(engine: WebSocketServer) {
    this.http.on('upgrade', (request, socket, head) => {
      engine.handleUpgrade(request, socket, head, (ws) => {
        ws.on('error', () => undefined);
        ws.on('message', (data, isBinary) => {
          // ws hands over bytes, ours text: engine.io takes both.
          const text = (data as Buffer | string).toString();
          this.messages.push(`${isBinary ? 'binary' : 'text'}:${text}`);
          if (text.startsWith('echo')) ws.send(text);
        });
      });
    });
  }

  async feed(pieces: readonly Buffer[]): Promise<Outcome> {
    this.messages = [];
    const { port } = this.http.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1').setNoDelay();
    const received: Buffer[] = [];
    let closed = false;
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', () => undefined);
    const ended = once(socket, 'close').then(() => (closed = true));
    socket.write(UPGRADE);
    await until(() => received.length > 0);
    for (const piece of pieces) {
      if (closed) break;
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A pong says that everything before it was read.
    if (!closed) socket.write(frame(0x89, Buffer.from('done'), { fin: true, masked: true }));
    await Promise.race([ended, until(() => Buffer.concat(received).includes('done'), 1_000)]);
    const wasClosed = closed || Buffer.concat(received).includes(Buffer.from([0x88]));
    socket.destroy();
    await ended;
    const all = Buffer.concat(received).toString('latin1');
    const answered = all.slice(all.indexOf('\r\n\r\n') + 4).replace('\x8a\x04done', '');
    return { messages: this.messages, answered, closed: wasClosed };
  }
}

async function until(come: () => boolean, limitMs = 5_000): Promise<void> {
  for (const from = performance.now(); performance.now() - from < limitMs && !come();) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function frame(opcode: number, payload: Buffer, { fin, masked }: { fin: boolean; masked: boolean }): Buffer {
  const size = payload.length;
  const head = [opcode & 0x7f, masked ? 0x80 : 0];
  if (fin) head[0]! |= 0x80;
  if (size < 126) head[1]! |= size;
  else {
    head[1]! |= 126;
    head.push(size >> 8, size & 0xff);
  }
  const mask = [1, 2, 3, 4];
  const body = Buffer.from(payload.map((byte, at) => (masked ? byte ^ mask[at % 4]! : byte)));
  return Buffer.concat([Buffer.from(head), Buffer.from(masked ? mask : []), body]);
}

const lean = new Reading(new LeanWebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD }));
const stock = new Reading(new StockWebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD }));
beforeAll(async () => {
  for (const { http } of [lean, stock]) await once(http.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  for (const { http } of [lean, stock]) {
    http.close();
    http.closeAllConnections();
  }
});

const payload = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)) },
  {
    weight: 3,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => Buffer.from(`echo${text}`)),
  },
  fc.integer({ min: 100, max: 5_000 }).map((size) => Buffer.alloc(size, 'x')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const honest = fc.record({
  opcode: fc.constant(0x1),
  payload,
  fin: fc.constant(true),
  masked: fc.constant(true),
});
const odd = fc.record({
  opcode: fc.constantFrom(0x0, 0x1, 0x2, 0x8, 0xa, 0x3, 0x41),
  payload,
  fin: fc.boolean(),
  masked: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const conversation = fc
  .array(fc.oneof({ weight: 6, arbitrary: honest }, odd), { minLength: 1, maxLength: 8 })
  .map((frames) =>
    Buffer.concat(frames.map(({ opcode, payload: bytes, ...how }) => frame(opcode, bytes, how))),
  );

test('whatever comes in, cut wherever the network cuts it, is read and answered as ws does', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(conversation, fc.array(fc.nat(), { maxLength: 4 }), async (bytes, cuts) => {
      const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const [ours, theirs] = [await lean.feed(pieces), await stock.feed(pieces)];
      read += ours.messages.length;
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 250 },
  );
  expect(read, 'something was read at all').toBeGreaterThan(200);
}, 60_000);

test('hundreds of messages in one piece, read in turns, are what ws reads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 300, arbitrary: honest }, odd), { minLength: 150, maxLength: 400 }),
      fc.nat(),
      async (frames, cut) => {
        const bytes = Buffer.concat(
          frames.map(({ opcode, payload: each, ...how }) => frame(opcode, each, how)),
        );
        const at = cut % bytes.length;
        const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
        expect(await lean.feed(pieces)).toEqual(await stock.feed(pieces));
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

/** All that is answered to a request for a websocket, until the connection ends or the answer's head is whole. */
async function answerTo({ http }: Reading, request: string): Promise<string> {
  const { port } = http.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let answer = '';
  socket.on('data', (text: string) => (answer += text));
  const ended = once(socket, 'close');
  socket.write(request);
  await Promise.race([ended, until(() => answer.startsWith('HTTP/1.1 101') && answer.includes('\r\n\r\n'))]);
  socket.destroy();
  await ended;
  return answer;
}

test.each([
  ['as it should be', UPGRADE, '101'],
  ['without a key', UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/, ''), '400'],
  ['of a version that nobody knows', UPGRADE.replace('Version: 13', 'Version: 7'), '400'],
  ['by another method', UPGRADE.replace('GET', 'POST'), '405'],
])('a request for a websocket %s is answered as ws answers it', async (_, request, status) => {
  const [ours, theirs] = [await answerTo(lean, request), await answerTo(stock, request)];
  expect(ours).toEqual(theirs);
  expect(ours).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});
