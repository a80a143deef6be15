import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { socketPair, type SocketPair } from './socket-pair.js';
import { writableHandleOf, writeDirectly, type WritableHandle } from './direct-write.js';

const open: SocketPair[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.end();
});

/** A pair of sockets, and what the server's is written to by, past its stream. */
async function pair(): Promise<SocketPair & { handle: WritableHandle }> {
  const both = await socketPair();
  open.push(both);
  const handle = writableHandleOf(both.socket);
  if (handle === undefined) throw new Error('this Node writes otherwise now: see direct-write.ts');
  return { ...both, handle };
}

/** Writes until the network takes no more; what was written, and what becomes of the last write. */
function fill(handle: WritableHandle, data: (index: number) => string | Uint8Array) {
  const written: string[] = [];
  for (;;) {
    const next = data(written.length);
    written.push(Buffer.from(next as string, 'latin1').toString('latin1'));
    const outcome = writeDirectly(handle, next);
    if (outcome === 0) continue;
    if (typeof outcome !== 'object') throw new Error(`failed: ${outcome}`);
    const settled = new Promise<number>((resolve) => {
      outcome.oncomplete = resolve;
    });
    return { written, settled };
  }
}

test('texts, bytes and what the stream writes arrive in their order, however slowly they are read', async () => {
  const { socket, client, handle } = await pair();
  const texts = fill(handle, (index) => `<${index}:${'é'.repeat(50_000)}>`);
  const bytes = fill(handle, (index) => Buffer.from(`<${index}:${'b'.repeat(50_000)}>`));
  socket.end('the end');
  const read: Buffer[] = [];
  client.on('data', (chunk: Buffer) => read.push(chunk)).resume();
  expect(await texts.settled).toBe(0);
  expect(await bytes.settled).toBe(0);
  await once(client, 'end');
  const all = [...texts.written, ...bytes.written, 'the end'].join('');
  expect(Buffer.concat(read).toString('latin1') === all).toBe(true);
});

test('a write that is under way when its socket ends is told so, and one after that is refused', async () => {
  const { socket, handle } = await pair();
  const { settled } = fill(handle, () => 'x'.repeat(50_000));
  socket.destroy();
  expect(await settled).toBeLessThan(0);
  expect(writeDirectly(handle, 'more')).not.toBe(0);
});

test('a client that has gone is an error of a write, and nothing is thrown', async () => {
  const { client, handle } = await pair();
  client.resetAndDestroy();
  await expect.poll(() => writeDirectly(handle, 'x')).not.toBe(0);
});
