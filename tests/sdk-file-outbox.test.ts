import type { MessageObject } from '@curbline/client';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Program } from './harness/program.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await TestServer.start();
  folder = await mkdtemp(join(tmpdir(), 'curbline-sender-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const SENDER = fileURLToPath(new URL('./harness/sdk-sender.ts', import.meta.url));
const EACH = 60;

/** What a process printed after a word, as far as whole lines go. */
const said = ({ output }: Program, word: string): string[] =>
  output
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith(`${word} {`))
    .map((line) => (JSON.parse(line.slice(word.length)) as { text: string }).text);

test('kill -9 of a sending process, again and again: what was kept is stored, once, in order', async () => {
  const id = await server.booking();
  const token = await server.token('driver', `${id}-driver`);
  const start = (first: number, count: number): Program =>
    Program.start('node', [
      SENDER,
      server.url,
      token,
      id,
      join(folder, 'outbox.jsonl'),
      `${first}`,
      `${count}`,
    ]);
  const kept: string[] = [];
  const confirmed: string[] = [];
  let killedInTheMiddle = 0;
  for (let round = 0; round < 5; round += 1) {
    const sender = start(round * EACH, EACH);
    // The server dies too, every other time, so that the outbox is long when the process is killed.
    const enough = 5 + round * 9;
    await until('some are kept', () => said(sender, 'kept').length >= enough);
    if (round % 2 === 1) {
      await server.kill();
      await until('more are kept', () => said(sender, 'kept').length >= enough + 8);
    }
    await sender.stop('SIGKILL');
    kept.push(...said(sender, 'kept'));
    confirmed.push(...said(sender, 'stored'));
    if (said(sender, 'kept').length > said(sender, 'stored').length) killedInTheMiddle += 1;
    if (round % 2 === 1) await server.up();
  }
  expect(killedInTheMiddle, 'some were on the way when the process was killed').toBeGreaterThan(0);

  const last = start(5 * EACH, 0);
  await last.says('empty');
  expect(await last.exit()).toBe(0);

  const { body } = await server.rest<{ data: MessageObject[] }>(
    'GET',
    `/v1/bookings/${id}/messages?after_seq=0&limit=200`,
  );
  const { body: rest } = await server.rest<{ data: MessageObject[] }>(
    'GET',
    `/v1/bookings/${id}/messages?after_seq=200&limit=200`,
  );
  const log = [...body.data, ...rest.data].map((message) => (message.body as { text: string }).text);
  expect(new Set(log).size, 'nothing twice').toBe(log.length);
  expect(log, 'order kept').toEqual(
    log.toSorted((one, other) => Number(one.slice(1)) - Number(other.slice(1))),
  );
  expect(
    kept.filter((text) => !log.includes(text)),
    'nothing kept is lost',
  ).toEqual([]);
  expect(
    confirmed.filter((text) => !log.includes(text)),
    'nothing confirmed is lost',
  ).toEqual([]);
}, 120_000);
