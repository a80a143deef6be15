import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from './chat-client.js';
import { fileOutbox } from './file-outbox.js';
import type { OutboxEntry } from './outbox-store.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'curbline-outbox-'));
  path = join(folder, 'outbox.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const entry = (n: number, owner = 'me'): OutboxEntry => ({
  owner,
  booking_id: 'B',
  client_id: `c${n}`,
  kind: 'text',
  body: { text: `n${n}\nsecond line` },
  created_at: '2026-01-01T00:00:00.000Z',
});

test('another process reads what was put, in order, and only what is its own', async () => {
  const outbox = fileOutbox(path);
  await Promise.all([1, 2, 3, 4].map((n) => outbox.put(entry(n))));
  await outbox.put(entry(9, 'somebody else'));
  await outbox.remove('c2');
  await outbox.put({ ...entry(1), error: { code: 'invalid', message: 'no' } });
  const loaded = await fileOutbox(path).load('me');
  expect(loaded.map(({ client_id }) => client_id)).toEqual(['c1', 'c3', 'c4']);
  expect(loaded[0]).toEqual({ ...entry(1), error: { code: 'invalid', message: 'no' } });
});

test('half a line at the end, left by a crash, is dropped and does not spoil what follows', async () => {
  await fileOutbox(path).put(entry(1));
  await appendFile(path, '{"put":{"owner":"me","client_id":"half');
  const outbox = fileOutbox(path);
  await outbox.put(entry(2));
  expect((await fileOutbox(path).load('me')).map(({ client_id }) => client_id)).toEqual(['c1', 'c2']);
});

test('the file does not grow with what was sent', async () => {
  const outbox = fileOutbox(path);
  for (let n = 0; n < 400; n += 1) {
    await outbox.put(entry(n));
    await outbox.remove(`c${n}`);
  }
  await outbox.put(entry(999));
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect(lines.length).toBeLessThan(600);
  expect((await fileOutbox(path).load('me')).map(({ client_id }) => client_id)).toEqual(['c999']);
});

test('a file that is not an outbox is left alone, and said so', async () => {
  await writeFile(path, 'my diary\n');
  await expect(fileOutbox(path).put(entry(1))).rejects.toThrow(/JSON/);
  expect(await readFile(path, 'utf8')).toBe('my diary\n');
});

test('closing lets go of the file, and a later call opens it again', async () => {
  const outbox = fileOutbox(path);
  await outbox.put(entry(1));
  await outbox.close?.();
  await outbox.put(entry(2));
  expect(await outbox.load('me')).toHaveLength(2);
  await outbox.remove('c1');
  await outbox.remove('c2');
  await outbox.close?.();
  await expect(readFile(path)).rejects.toThrow(/ENOENT/);
});

const jwt = `e30.${Buffer.from('{"sub":"me","scope":"driver"}').toString('base64url')}.sig`;

test('what was said right before the client was closed is on the disk when it is closed', async () => {
  const chat = createClient({ url: 'http://127.0.0.1:1', token: jwt, outbox: fileOutbox(path) });
  void chat.booking('B').send({ text: 'last words' });
  await chat.close();
  expect(await readFile(path, 'utf8')).toContain('last words');
});

test('what the disk refuses is an error of the one class', async () => {
  const chat = createClient({ url: 'http://127.0.0.1:1', token: jwt, outbox: fileOutbox(folder) });
  const booking = chat.booking('B');
  const told: unknown[] = [];
  chat.on('error', (error) => told.push(error));
  void booking.send({ text: 'kept nowhere' });
  const discarded = booking.discard(booking.messages[0]?.client_id ?? '');
  await expect(discarded).rejects.toMatchObject({ name: 'CurblineError', code: 'storage' });
  expect(booking.messages).toEqual([]);
  expect(told).toMatchObject([{ code: 'storage' }]);
  await chat.close();
});
