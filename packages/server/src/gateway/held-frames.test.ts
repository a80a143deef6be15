import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { socketPair, type SocketPair } from '../ops/socket-pair.js';
import { textFrame, type Frame } from '../fanout/packet.js';
import { HeldFrames } from './held-frames.js';

class Frames extends HeldFrames {
  constructor(socket: Socket) {
    super();
    this.writeTo(socket);
  }
}

const open: SocketPair[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.end();
});

/** What writes, and the two ends of its connection. */
async function pair(): Promise<{ frames: Frames; client: Socket; socket: Socket }> {
  const both = await socketPair();
  open.push(both);
  return { ...both, frames: new Frames(both.socket) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const bytesOf = (frame: Frame): Buffer => (typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame);

function reading(client: Socket): () => Buffer {
  const read: Buffer[] = [];
  client.on('data', (chunk: Buffer) => read.push(chunk)).resume();
  return () => Buffer.concat(read);
}

test('what one turn holds leaves in its order, whatever of it is ASCII and however often it is let go of early', async () => {
  const { frames, client } = await pair();
  const written: Buffer[] = [];
  const push = (text: string) => {
    const frame = textFrame(text);
    written.push(bytesOf(frame));
    frames.push(frame);
  };
  for (const [index, text] of ['one', 'zwei', 'ÄÖ', 'नमस्ते', 'five', '', 'seven'].entries()) {
    push(text);
    if (index % 3 === 1) frames.release();
    if (index === 4) await turn();
  }
  const held = frames.bufferedAmount;
  expect(held).toBeGreaterThan(0);
  const heard = reading(client);
  await expect.poll(heard).toEqual(Buffer.concat(written));
  expect(frames.bufferedAmount).toBe(0);
});

test('what a client does not read is counted, and it is clear again once it has read that', async () => {
  const { frames, client } = await pair();
  expect(frames.isClear).toBe(true);
  const frame = textFrame('x'.repeat(200));
  let pushed = 0;
  while (frames.bufferedAmount < 1_048_576 && pushed < 500_000) {
    for (let each = 0; each < 50; each += 1) frames.push(frame);
    pushed += 50;
    await turn();
  }
  expect(frames.bufferedAmount).toBeGreaterThanOrEqual(1_048_576);
  expect(frames.isClear).toBe(false);
  const heard = reading(client);
  await expect.poll(() => heard().length, { timeout: 10_000 }).toBe(pushed * bytesOf(frame).length);
  expect(frames.bufferedAmount).toBe(0);
  // What is said next finds the way free again.
  frames.push(frame);
  await turn();
  expect(frames.isClear).toBe(true);
  await expect.poll(() => heard().length).toBe((pushed + 1) * bytesOf(frame).length);
});

test('of a frame that the network has taken in part, all is counted until it has the rest', async () => {
  const { frames, client } = await pair();
  const bytes = 16_777_216;
  frames.push(Buffer.alloc(bytes, 'z'));
  await turn();
  expect(frames.bufferedAmount).toBe(bytes);
  const heard = reading(client);
  await expect.poll(() => heard().length, { timeout: 10_000 }).toBe(bytes);
  await expect.poll(() => frames.bufferedAmount).toBe(0);
});

test('much that is held is not clear either, and one that is closing takes nothing more', async () => {
  const { frames, client } = await pair();
  frames.push(textFrame('y'.repeat(5_000)));
  expect(frames.isClear).toBe(false);
  await turn();
  expect(frames.isClear).toBe(true);
  frames.readyState = 2;
  frames.push(textFrame('too late'));
  expect(frames.isClear).toBe(false);
  expect(frames.bufferedAmount).toBe(0);
  const heard = reading(client);
  await expect.poll(() => heard().length).toBe(5_004);
});

test('a client that has gone ends the socket, and nothing is thrown', async () => {
  const { frames, client, socket } = await pair();
  client.resetAndDestroy();
  await expect
    .poll(async () => {
      frames.push(textFrame('x'));
      await turn();
      return socket.destroyed;
    })
    .toBe(true);
  expect(frames.bufferedAmount).toBe(0);
});
