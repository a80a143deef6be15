import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from './chat-client.js';
import { fileOutbox } from './file-outbox.js';
import type { OutboxEntry, OutboxStore } from './outbox-store.js';

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

const holding = async (...numbers: number[]): Promise<OutboxStore> => {
  const outbox = fileOutbox(path);
  await Promise.all(numbers.map((n) => outbox.put(entry(n))));
  return outbox;
};

/** What a later process finds, after this one let go. */
const left = async (outbox: OutboxStore, owner = 'me'): Promise<OutboxEntry[]> => {
  await outbox.close?.();
  const next = fileOutbox(path);
  const found = await next.load(owner);
  await next.close?.();
  return found;
};
const ids = (entries: readonly OutboxEntry[]): string[] => entries.map(({ client_id }) => client_id);

test('a later process reads what was put, in order, and only what is its own', async () => {
  const outbox = fileOutbox(path);
  await Promise.all([1, 2, 3, 4].map((n) => outbox.put(entry(n))));
  await outbox.put(entry(9, 'somebody else'));
  await outbox.remove('c2');
  await outbox.put({ ...entry(1), error: { code: 'invalid', message: 'no' } });
  const found = await left(outbox);
  expect(ids(found)).toEqual(['c1', 'c3', 'c4']);
  expect(found[0]).toEqual({ ...entry(1), error: { code: 'invalid', message: 'no' } });
});

test('two outboxes of one process on one file are one: neither writes away what the other has put', async () => {
  const one = fileOutbox(path);
  const other = fileOutbox(join(folder, '.', 'x', '..', 'outbox.jsonl'));
  await one.put(entry(1, 'one'));
  await other.put(entry(2, 'other'));
  await one.remove('c1');
  await one.close?.();
  expect(ids(await fileOutbox(path).load('other'))).toEqual(['c2']);
  await other.put(entry(3, 'other'));
  expect(await readFile(path, 'utf8')).toContain('c3');
});

test('a second process is refused while the first one lives', async () => {
  await writeFile(`${path}.lock`, `${process.ppid} first`);
  const outbox = fileOutbox(path);
  const refusal = { name: 'CurblineError', code: 'storage', message: expect.stringMatching(/in use by/) };
  await expect(outbox.put(entry(1))).rejects.toMatchObject(refusal);
  await expect(outbox.load('me')).rejects.toMatchObject(refusal);
  await rm(`${path}.lock`);
  await outbox.put(entry(2));
  expect(ids(await left(outbox))).toEqual(['c2']);
});

test('what a dead process has locked is taken over, also when its number was given again', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const long = new Date('2001-01-01');
  for (const holder of [pid, process.pid, process.ppid]) {
    await writeFile(`${path}.lock`, `${holder} dead`);
    if (holder !== pid) await utimes(`${path}.lock`, long, long);
    const outbox = fileOutbox(path);
    await outbox.put(entry(holder));
    await outbox.close?.();
  }
  expect(await readdir(folder)).toEqual(['outbox.jsonl']);
});

test('a program that ends without closing leaves its messages, but no lock', async () => {
  const program = `
    const { fileOutbox } = await import('@curbline/client/node');
    await fileOutbox(${JSON.stringify(path)}).put(${JSON.stringify(entry(1))});
    process.exit(0);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
  });
  expect(status).toBe(0);
  expect(await readdir(folder)).toEqual(['outbox.jsonl']);
  expect(ids(await left(fileOutbox(path)))).toEqual(['c1']);
});

test('half a line at the end, left by a crash, is dropped and does not spoil what follows', async () => {
  await left(await holding(1));
  await appendFile(path, '{"put":{"owner":"me","client_id":"half');
  const outbox = fileOutbox(path);
  await outbox.put(entry(2));
  expect(ids(await left(outbox))).toEqual(['c1', 'c2']);
});

test('a damaged line costs no other one, and is put aside', async () => {
  await left(await holding(1, 2, 3));
  const lines = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, [lines[0], lines[1]?.replaceAll('"', '\0'), 'null', lines[2], ''].join('\n'));
  expect(ids(await left(fileOutbox(path)))).toEqual(['c1', 'c3']);
  expect(await readFile(`${path}.damaged`, 'utf8')).toMatch(/c2.*\nnull\n$/s);
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
  expect(ids(await left(outbox))).toEqual(['c999']);
});

test.each(['my diary\n', 'my diary', '{"name":"settings"}\n'])(
  'a file that is not an outbox is left alone, and said so: %j',
  async (text) => {
    await writeFile(path, text);
    await expect(fileOutbox(path).put(entry(1))).rejects.toThrow(/not an outbox/);
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);

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
