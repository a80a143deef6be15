import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionObject } from '@curbline/contract';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { Program, ROOT } from './harness/program.js';

const API_KEY = 'the-shops-own-api-key';
const EXAMPLE = join(ROOT, 'examples/embed-in-nest');

let shop: Program;
let dataDir: string;
let url: string;

beforeAll(async () => {
  const built = spawnSync('tsc', ['-p', EXAMPLE], { encoding: 'utf8' });
  expect(built.stdout + built.stderr).toBe('');
  dataDir = await mkdtemp(join(tmpdir(), 'curbline-shop-'));
  // As root the database runs as another user, who must be able to pass through.
  await chmod(dataDir, 0o755);
  shop = Program.start('node', [join(EXAMPLE, 'dist/main.js')], {
    PORT: '0',
    SHOP_DATA_DIR: dataDir,
    SHOP_CHAT_SECRET: 'a secret of the shop, of thirty-two bytes or more',
    SHOP_CHAT_API_KEY: API_KEY,
  });
  url = (await shop.says('The shop is open at')).trim();
});
afterAll(async () => {
  await shop.stop();
  await rm(dataDir, { recursive: true, force: true });
});

interface Called {
  status: number;
  type: string;
  body: Record<string, unknown>;
}

async function call(path: string, init: RequestInit = {}): Promise<Called> {
  const response = await fetch(url + path, init);
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  return { status: response.status, type, body: (await response.json()) as Record<string, unknown> };
}

const staff = { 'x-staff': 'yes', 'content-type': 'application/json' };
const order = async (body: object) =>
  call('/rides', { method: 'POST', headers: staff, body: JSON.stringify(body) });
const chat = (key = API_KEY) => ({ headers: { authorization: `Bearer ${key}` } });

test("a ride that the host's own route ordered is a booking in which two people talk", async () => {
  const { status, body } = await order({ driver: 'd-1', customer: 'c-1' });
  expect(status).toBe(201);
  const { ride, tokens } = body as { ride: string; tokens: Record<'driver' | 'customer', string> };
  const driver = await Person.connect({ url }, tokens.driver, { path: '/chat/' });
  const customer = await Person.connect({ url }, tokens.customer, { path: '/chat/' });
  const joined = await driver.data<ConnectionObject>('connection-established', { booking_id: ride });
  expect(joined.user_detail).toMatchObject({ _id: 'c-1', scope: 'customer' });
  await driver.send(ride, 'at the gate');
  await customer.hears('message.created');
  expect(await call(`/rides/${ride}`, { headers: staff })).toMatchObject({
    status: 200,
    body: { ok: true, chat: 'open', messages: 1 },
  });
  driver.leave();
  customer.leave();
});

test("the host's guard, pipe and filter answer for the host's routes", async () => {
  expect(await call('/rides/none')).toEqual({
    status: 403,
    type: 'application/json',
    body: { ok: false, why: 'Forbidden resource' },
  });
  expect(await order({ driver: 'd-1', passenger: 'c-1' })).toMatchObject({
    status: 400,
    body: { ok: false },
  });
  expect(await call('/rides/none', { headers: staff })).toEqual({
    status: 404,
    type: 'application/json',
    body: { ok: false, why: 'no ride none' },
  });
  expect((await call('/no-such-page', { headers: staff })).body).toEqual({
    ok: false,
    why: 'Cannot GET /no-such-page',
  });
});

test("the chat's routes keep their own guard, schemas and errors", async () => {
  expect(await call('/v1/bookings/none')).toMatchObject({
    status: 401,
    type: 'application/problem+json',
    body: { code: 'unauthenticated' },
  });
  expect(await call('/v1/bookings/none', chat())).toMatchObject({
    status: 404,
    type: 'application/problem+json',
    body: { code: 'not_found' },
  });
  const { headers } = chat();
  const body = JSON.stringify({ customer: { id: 'c-2' }, driver: null, status: 'pending', fare: 12 });
  const put = { method: 'PUT', headers: { ...headers, 'content-type': 'application/json' }, body };
  expect(await call('/v1/bookings/b-2', put)).toMatchObject({
    status: 400,
    type: 'application/problem+json',
    body: { code: 'invalid', details: [{ path: 'fare', message: 'unknown field' }] },
  });
});

test("a route of the chat that the host's guard keeps to itself is refused in the contract's words", async () => {
  expect(await call('/health/ready')).toMatchObject({
    status: 403,
    type: 'application/problem+json',
    body: { code: 'forbidden' },
  });
  expect(await call('/health/ready', { headers: staff })).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  });
});

test("the chat's sockets do not pass the host's guard, and refuse in the contract's words", async () => {
  await expect(Person.connect({ url }, 'abcd1234', { path: '/chat/' })).rejects.toMatchObject({
    data: { error: { code: 'unauthenticated' } },
  });
});

test("the host's own Socket.IO gateway answers on its own path, next to the chat", async () => {
  const board = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  try {
    const heard = new Promise((resolve) => board.once('board', resolve));
    board.emit('board');
    expect(await heard).toEqual({ departures: ['09:10 Airport', '09:25 Old town'] });
  } finally {
    board.close();
  }
});
