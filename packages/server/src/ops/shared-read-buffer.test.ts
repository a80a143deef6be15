import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readingShared } from './shared-read-buffer.js';

/** A pair of sockets: the one of the server reads into the shared buffer. */
async function pair(onChunk: (this: Socket, chunk: Buffer) => void) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const isShared = readingShared(onChunk)(socket);
  const viaEvents: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => viaEvents.push(chunk));
  return { server, client, socket, isShared, viaEvents };
}

test('this Node reads into the shared buffer, in order, and tells of the end', async () => {
  const heard: string[] = [];
  const { server, client, socket, isShared, viaEvents } = await pair(function (chunk) {
    heard.push(chunk.toString());
  });
  expect(isShared, 'Node keeps `onread` elsewhere now: see shared-read-buffer.ts').toBe(true);
  const ended = once(socket, 'end');
  for (const text of ['one', 'two', 'three']) {
    client.write(text);
    await expect.poll(() => heard.join('')).toContain(text);
  }
  client.end('four');
  await ended;
  expect(heard.join(' ')).toBe('one two three four');
  expect(viaEvents).toEqual([]);
  socket.destroy();
  server.close();
});

test('a paused socket reads nothing until it is resumed', async () => {
  let bytes = 0;
  const { server, client, socket } = await pair((chunk) => {
    bytes += chunk.length;
  });
  client.write('x');
  await expect.poll(() => bytes).toBe(1);
  socket.pause();
  client.write('y'.repeat(100_000));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(bytes).toBe(1);
  socket.resume();
  await expect.poll(() => bytes).toBe(100_001);
  client.destroy();
  socket.destroy();
  server.close();
});
