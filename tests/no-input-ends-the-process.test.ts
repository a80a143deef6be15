import type { ErrorObject, InvalidDetail } from '@curbline/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pair, type Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

let server: TestServer;
let driver: Person;
let booking_id: string;
let pid: number;

beforeAll(async () => {
  server = await TestServer.start();
  const people = await pair(server);
  ({ driver, booking_id } = people);
  people.customer.leave();
  pid = server.pid;
});
afterEach(async () => {
  // The same process still serves the same socket.
  expect(server.pid).toBe(pid);
  expect((await server.rest('GET', '/health/live')).status).toBe(200);
  expect(driver.socket.connected).toBe(true);
  expect(await driver.ask('message.list', { booking_id })).toHaveProperty('data');
});
afterAll(async () => {
  driver.leave();
  await server.stop();
});

const client_id = '01890a5d-ac96-774b-bcce-b302099a8057';
const position = { lat: 1, lng: 2 };

/** A good payload of each command; the tests spoil it. */
const good = (): Record<string, Record<string, unknown>> => ({
  'connection-established': { booking_id },
  'booking.join': { booking_id },
  'message.send': { booking_id, client_id, kind: 'text', body: { text: 'hello' } },
  'message.list': { booking_id },
  'receipt.mark': { booking_id, read_seq: 1 },
  'typing.set': { booking_id, typing: true },
  'location.share': { booking_id, ...position },
  'booking.list': { open_only: true },
  sync: { bookings: [{ booking_id, after_seq: 0 }] },
  'token.refresh': { token: 'not.a.token' },
});
const commands = Object.keys(good());

/** Asks and counts: the answer must be one object, and come once. */
async function answersTo(command: string, ...args: unknown[]): Promise<unknown[][]> {
  const answers: unknown[][] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${command} was not answered: ${JSON.stringify(args)?.slice(0, 200)}`)),
      10_000,
    );
    const emit = driver.socket.emit.bind(driver.socket) as (...args: unknown[]) => void;
    emit(command, ...args, (...answer: unknown[]) => {
      clearTimeout(timer);
      answers.push(answer);
      resolve();
    });
  });
  // A refusal waits for nothing: a second one would be here before this answer from the database.
  await driver.ask('message.list', { booking_id });
  return answers;
}

async function expectInvalid(command: string, ...args: unknown[]): Promise<InvalidDetail[]> {
  const what = `${command} ${JSON.stringify(args)?.slice(0, 300)}`;
  const answers = await answersTo(command, ...args);
  expect(answers, what).toHaveLength(1);
  expect(answers[0], what).toHaveLength(1);
  const [[answer] = []] = answers;
  const { error } = answer as { error: ErrorObject };
  expect(error, what).toMatchObject({ code: 'invalid', retryable: false, request_id: expect.any(String) });
  const details = error.details as InvalidDetail[];
  expect(details.length, what).toBeGreaterThan(0);
  for (const detail of details) {
    expect(detail, what).toEqual({ path: expect.any(String), message: expect.any(String) });
  }
  return details;
}

test.each(commands)('%s refuses what is not one object', async (command) => {
  const wrong: unknown[] = [null, 7, 'text', true, [], [good()[command]], Buffer.from('abc'), '', 0, [[[]]]];
  for (const value of wrong) await expectInvalid(command, value);
  await expectInvalid(command, good()[command], good()[command]);
  await expectInvalid(command, good()[command], null);
  await expectInvalid(command, ...Array.from({ length: 50 }, (_, n) => n));
  // Every field of booking.list has a default, but the object itself is not one.
  await expectInvalid(command);
});

const brokenIds = [
  '',
  'x'.repeat(129),
  '\u{1f600}'.repeat(129),
  'a\u0000b',
  '\ud800',
  'a\udc00b',
  7,
  null,
  {},
  [],
  ['a'],
  true,
  Buffer.from('b-1'),
  'y'.repeat(50_000),
];

test.each(commands.filter((name) => 'booking_id' in (good()[name] ?? {})))(
  '%s refuses ids that are none',
  async (command) => {
    for (const id of brokenIds) {
      const details = await expectInvalid(command, { ...good()[command], booking_id: id });
      expect(details.some((detail) => detail.path === 'booking_id')).toBe(true);
    }
  },
);

test.each(commands)('%s refuses missing, extra and mistyped fields, by name', async (command) => {
  const fields = good()[command] ?? {};
  for (const name of Object.keys(fields)) {
    if (command !== 'booking.list' && !(command === 'receipt.mark' && name === 'read_seq')) {
      const { [name]: _, ...rest } = fields;
      const details = await expectInvalid(command, rest);
      expect(details.some((detail) => detail.path.split('.')[0] === name)).toBe(true);
    }
    for (const wrong of [
      null,
      {},
      [null],
      Buffer.from([1, 2]),
      Number.MAX_VALUE,
      name === 'typing' ? 1 : '',
    ]) {
      await expectInvalid(command, { ...fields, [name]: wrong });
    }
  }
  for (const extra of ['constructor', 'hasOwnProperty', 'toString', 'prototype', 'x', '', '\ud800', '🚕']) {
    const details = await expectInvalid(command, { ...fields, [extra]: 1 });
    expect(details.some((detail) => detail.path.endsWith(extra))).toBe(true);
  }
  // A literal would set the prototype: as a parsed key it is a field of its own.
  const proto = JSON.parse('{"__proto__":{"polluted":true}}') as object;
  await expectInvalid(
    command,
    Object.assign(Object.create(null), Object.fromEntries(Object.entries(fields)), proto),
  );
  await expectInvalid(command, { ...fields, extra: 'z'.repeat(60_000) });
});

test('names that are no commands are refused, prototype names and event names too', async () => {
  const names = [
    'no.such',
    '',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'message.created',
    'exception',
    'disconnected',
    'error',
    'close',
    'join',
    'a'.repeat(10_000),
    'a\u0000b',
    '🚕',
  ];
  for (const name of names) {
    await expectInvalid(name, { booking_id });
    await expectInvalid(name);
  }
});

test('without a callback an error comes as one exception event, whatever the arguments', async () => {
  const emit = driver.socket.emit.bind(driver.socket) as (...args: unknown[]) => void;
  const before = driver.told('exception').length;
  const tries: unknown[][] = [
    ['error'],
    ['error', null],
    ['error', 'x', 'y'],
    ['message.send'],
    ['message.send', 1, 2, 3],
    ['no.such', { secret: 'words' }],
    ['__proto__', Buffer.alloc(8)],
  ];
  for (const args of tries) emit(...args);
  await driver.ask('message.list', { booking_id });
  const told = driver.told<{ command: string; error: ErrorObject }>('exception').slice(before);
  expect(told.map(({ command, error }) => [command, error.code])).toEqual(
    tries.map(([name]) => [name, 'invalid']),
  );
  expect(JSON.stringify(told)).not.toContain('words');
  for (const { args } of driver.heard.filter((one) => one.name === 'exception')) expect(args).toHaveLength(1);
});

test('bodies that are none are refused, and nothing of them is kept', async () => {
  const nested = JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`) as unknown;
  const bodies: [string, unknown][] = [
    ['text', { text: '' }],
    ['text', { text: ' \t\u00a0\u2003\n' }],
    ['text', { text: 'a\u0000' }],
    ['text', { text: '\ud83d' }],
    ['text', { text: 'e\u0301'.repeat(4_001) }],
    ['text', { text: nested }],
    ['text', nested],
    ['text', { text: 'hi', html: '<b>' }],
    ['text', 'hi'],
    ['canned', { key: 'nobody_knows' }],
    ['canned', { key: '__proto__' }],
    ['canned', { key: 'constructor' }],
    ['canned', { key: 'arriving_in' }],
    ['canned', { key: 'arriving_in', params: { minutes: 121 } }],
    ['canned', { key: 'arriving_in', params: { minutes: '5' } }],
    ['canned', { key: 'arriving_in', params: { minutes: 5, hours: 1 } }],
    ['canned', { key: 'ok', params: { constructor: 1 } }],
    ['location', { lat: 91, lng: 0 }],
    ['location', { lat: 0, lng: '0' }],
    ['location', { lat: 0, lng: 0, label: '' }],
    ['system', { text: 'I am the host' }],
    ['attachment', { attachment_id: client_id }],
    ['__proto__', { text: 'hi' }],
  ];
  for (const [kind, body] of bodies) {
    await expectInvalid('message.send', { booking_id, client_id: crypto.randomUUID(), kind, body });
  }
  for (const id of ['', 'abc', 7, '01890a5d-ac96-774b-bcce', `${client_id}0`, `{${client_id}}`, null]) {
    await expectInvalid('message.send', { booking_id, client_id: id, kind: 'text', body: { text: 'hi' } });
  }
  for (const range of [
    { limit: 0 },
    { limit: 1.5 },
    { after_seq: -1 },
    { before_seq: '3' },
    { after_seq: 2 ** 53 },
  ]) {
    await expectInvalid('message.list', { booking_id, ...range });
  }
  await expectInvalid('sync', { bookings: Array.from({ length: 51 }, () => ({ booking_id, after_seq: 0 })) });
  const list = await driver.data<{ last_seq: number }>('message.list', { booking_id });
  expect(list.last_seq).toBe(0);
});

test('the longest that is allowed is kept: 4,000 code points of any plane, ids of 128', async () => {
  const id = '\u{1f696}'.repeat(128);
  await server.booking(id, { driver: `${booking_id}-driver`, customer: 'c'.repeat(128) });
  const text = '\u{1f600}'.repeat(4_000);
  const sent = await driver.send(id, text);
  expect(sent.message.body).toEqual({ text });
});
