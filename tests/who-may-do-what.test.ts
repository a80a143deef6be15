import { COMMAND_NAMES, routes } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';
import { until } from './harness/until.js';

// Every command and route × caller × booking. What is expected is derived from the contract's words (sections 3, 4, 8),
// not from the server's table.

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ CURBLINE_GRACE_S: '0' });
});
afterAll(() => server.stop());

type Chat = 'open' | 'read_only' | 'closed';
/** The host's words that bring a chat into each state; `completed` with no grace is read only at once. */
const STATUS: Record<Chat, string> = { open: 'accepted', read_only: 'completed', closed: 'pending' };
const UNKNOWN = 'no-such-booking';

/** Commands on one booking, and the states in which who has a seat may use them. */
const ON_A_BOOKING: Record<string, { payload: (booking_id: string) => object; allowed: readonly Chat[] }> = {
  'connection-established': {
    payload: (booking_id) => ({ booking_id, after_seq: 0 }),
    allowed: ['open', 'read_only'],
  },
  'booking.join': { payload: (booking_id) => ({ booking_id }), allowed: ['open', 'read_only'] },
  'message.list': { payload: (booking_id) => ({ booking_id }), allowed: ['open', 'read_only'] },
  'receipt.mark': { payload: (booking_id) => ({ booking_id, read_seq: 1 }), allowed: ['open', 'read_only'] },
  'message.send': {
    payload: (booking_id) => ({
      booking_id,
      client_id: crypto.randomUUID(),
      kind: 'text',
      body: { text: 'let me in' },
    }),
    allowed: ['open'],
  },
  'typing.set': { payload: (booking_id) => ({ booking_id, typing: true }), allowed: ['open'] },
  'location.share': { payload: (booking_id) => ({ booking_id, lat: 1, lng: 2 }), allowed: ['open'] },
  sync: {
    payload: (booking_id) => ({ bookings: [{ booking_id, after_seq: 0 }] }),
    allowed: ['open', 'read_only'],
  },
};
/** Commands that name no booking. */
const ELSEWHERE = ['booking.list', 'token.refresh'];

interface Refusal {
  code: string;
  request_id?: string;
  details?: unknown;
}

/** The refusal of one booking, wherever the answer carries it; undefined when it was allowed. */
async function refusal(caller: Person, command: string, booking_id: string): Promise<Refusal | undefined> {
  const { payload } = ON_A_BOOKING[command] ?? {};
  if (!payload) throw new Error(`${command} is not in the matrix`);
  const { data, error } = await caller.ask<{ bookings?: { error?: Refusal }[] }>(
    command,
    payload(booking_id),
  );
  if (error) {
    // Who has no seat in one booking may have one in the next; support has none in any.
    if (command === 'sync') expect(error.code).toBe('forbidden');
    return error;
  }
  return command === 'sync' ? data?.bookings?.[0]?.error : undefined;
}

const comparable = (error: Refusal | undefined) => {
  const { request_id: _, ...rest } = error ?? { code: 'allowed' };
  return rest;
};

/** A booking in a state, with a driver who has lost the seat, a message in its log, and everybody connected. */
async function scene(chat: Chat) {
  const booking_id = await server.booking(undefined, { driver: `before-${chat}` });
  const former = await Person.as(server, 'driver', `before-${chat}`);
  await former.data('booking.join', { booking_id });
  await server.booking(booking_id, { driver: `${booking_id}-driver`, customer: `${booking_id}-customer` });
  const driver = await Person.as(server, 'driver', `${booking_id}-driver`);
  const customer = await Person.as(server, 'customer', `${booking_id}-customer`);
  await driver.send(booking_id, 'a secret of two');
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, { status: STATUS[chat] });
  const callers = {
    driver,
    customer,
    'another driver': await Person.as(server, 'driver', 'somebody-else'),
    'another customer': await Person.as(server, 'customer', 'somebody-else'),
    'the driver who lost the seat': former,
    "a customer with the driver's id": await Person.as(server, 'customer', `${booking_id}-driver`),
    "a driver with the customer's id": await Person.as(server, 'driver', `${booking_id}-customer`),
    support: await Person.as(server, 'support', `${booking_id}-driver`),
  };
  if (chat !== 'open')
    await customer.hears<{ chat: string }>('booking.updated', (told) => told.chat === chat);
  return { booking_id, callers };
}

test('the matrix has every command of the contract', () => {
  expect([...Object.keys(ON_A_BOOKING), ...ELSEWHERE].toSorted()).toEqual([...COMMAND_NAMES].toSorted());
});

test.each(['open', 'read_only', 'closed'] as const)(
  'in a %s booking each command is answered by seat and state, and a foreign booking is as one that does not exist',
  async (chat) => {
    const { booking_id, callers } = await scene(chat);
    const { body: before } = await server.rest<{ last_seq: number }>('GET', `/v1/bookings/${booking_id}`);
    const strangers = Object.entries(callers).filter(([who]) => who !== 'driver' && who !== 'customer');
    const heardBefore = strangers.map(([, stranger]) => stranger.heard.length);
    const peopleHeard = callers.customer.heard.length;
    for (const command of Object.keys(ON_A_BOOKING)) {
      for (const [who, caller] of strangers) {
        const place = `${who}: ${command}`;
        const foreign = await refusal(caller, command, booking_id);
        const unknown = await refusal(caller, command, UNKNOWN);
        expect(foreign?.code, place).toBe(who === 'support' ? 'forbidden' : 'not_found');
        expect(comparable(foreign), place).toEqual(comparable(unknown));
        expect(JSON.stringify(foreign), place).not.toContain(booking_id);
      }
    }
    // Nothing of it has reached the log or anybody.
    const { body: after } = await server.rest<{ last_seq: number }>('GET', `/v1/bookings/${booking_id}`);
    expect(after.last_seq).toBe(before.last_seq);
    expect(strangers.map(([, stranger]) => stranger.heard.length)).toEqual(heardBefore);
    const disturbing = callers.customer.heard.slice(peopleHeard).map(({ name }) => name);
    expect(disturbing.filter((name) => name !== 'presence.updated')).toEqual([]);
    for (const who of ['driver', 'customer'] as const) {
      for (const [command, { allowed }] of Object.entries(ON_A_BOOKING)) {
        const refused = await refusal(callers[who], command, booking_id);
        const place = `${who}: ${command}`;
        if (allowed.includes(chat)) expect(refused, place).toBeUndefined();
        else {
          expect(refused, place).toMatchObject({
            code: 'chat_closed',
            details: { status: STATUS[chat], chat },
          });
        }
      }
    }
    for (const caller of Object.values(callers)) caller.leave();
  },
);

test('lists show nobody a booking in which they have no seat; support gets forbidden, from sync too', async () => {
  const { booking_id, callers } = await scene('open');
  for (const [who, caller] of Object.entries(callers)) {
    const { data, error } = await caller.ask<{ bookings: { booking_id: string }[] }>('booking.list', {});
    const synced = await caller.ask('sync', { bookings: [{ booking_id, after_seq: 0 }] });
    expect(synced.error?.code, who).toBe(who === 'support' ? 'forbidden' : undefined);
    if (who === 'support') expect(error?.code).toBe('forbidden');
    else {
      const mine = who === 'driver' || who === 'customer';
      expect(
        data?.bookings.some((entry) => entry.booking_id === booking_id),
        who,
      ).toBe(mine);
    }
  }
  for (const [who, caller] of Object.entries(callers)) {
    const others = await server.token(who === 'driver' ? 'customer' : 'driver', 'not-me');
    expect((await caller.error('token.refresh', { token: others })).code, who).toBe('forbidden');
    caller.leave();
  }
});

test('no byte of a booking reaches a socket whose token is not good, whatever it asks', async () => {
  const { booking_id, callers } = await scene('open');
  const { token_secret } = await server.keys();
  const claims = { sub: `${booking_id}-driver`, scope: 'driver', exp: nowS() + 600 };
  const bad = {
    none: '',
    garbage: 'not.a.token',
    'another secret': jwt(claims, 'x'.repeat(32)),
    unsigned: `${jwt(claims, token_secret, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
    expired: jwt({ ...claims, exp: nowS() - 60 }, token_secret),
    'without exp': jwt({ sub: claims.sub, scope: claims.scope }, token_secret),
    'an unknown scope': jwt({ ...claims, scope: 'admin' }, token_secret),
  };
  for (const [why, token] of Object.entries(bad)) {
    for (const transports of [['websocket'], ['polling']]) {
      const refused = await Person.connect(server, token, { transports }).then(
        () => undefined,
        (error: Error & { data?: { error: { code: string } } }) => error,
      );
      expect(refused?.data?.error.code, `${why} by ${transports.join()}`).toBe('unauthenticated');
      expect(JSON.stringify(refused?.data)).not.toContain(booking_id);
    }
  }
  // Commands that do not wait for the handshake's answer.
  for (const token of [bad.expired, bad['another secret']]) {
    const heard = await impatient(token, booking_id);
    // The greeting of Engine.IO, and at most the refusal: the rest is not even answered.
    const said = heard.split('\n').filter((line) => line !== '' && !line.startsWith('0{'));
    expect(said.filter((line) => !/^44\{.*"unauthenticated"/.test(line))).toEqual([]);
    expect(heard).not.toContain(booking_id);
  }
  const { body } = await server.rest<{ last_seq: number }>('GET', `/v1/bookings/${booking_id}`);
  expect(body.last_seq).toBe(1);
  for (const caller of Object.values(callers)) caller.leave();
});

/** Connects, and asks for everything in the same moment; everything that comes back. */
async function impatient(token: string, booking_id: string): Promise<string> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let heard = '';
  let ended = false;
  socket.addEventListener('message', ({ data }) => (heard += `${String(data)}\n`));
  socket.addEventListener('close', () => (ended = true));
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  socket.send(`40${JSON.stringify({ token })}`);
  let id = 0;
  for (const [command, { payload }] of Object.entries(ON_A_BOOKING))
    socket.send(`42${(id += 1)}${JSON.stringify([command, payload(booking_id)])}`);
  await until('an answer', () => ended || heard.includes('44'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.close();
  return heard;
}

test("every route of the host's refuses who has no key, and says nothing of whether a booking exists", async () => {
  const { booking_id, callers } = await scene('open');
  const token = await server.token('driver', `${booking_id}-driver`);
  for (const [name, route] of Object.entries(routes)) {
    const [method = '', pattern = ''] = name.split(' ');
    if (route.auth !== 'api_key') continue;
    for (const authorization of ['', 'Bearer wrong', `Bearer ${token}`, `Basic ${btoa('key:')}`]) {
      const answer = async (id: string) => {
        const path = pattern
          .replace('{booking_id}', id)
          .replace('{scope}', 'driver')
          .replace('{user_id}', `${id}-driver`);
        const response = await fetch(server.url + path, {
          method,
          headers: { ...(authorization && { authorization }), 'content-type': 'application/json' },
          ...(method !== 'GET' && { body: '{}' }),
        });
        const { request_id: _, instance: __, ...body } = (await response.json()) as Record<string, unknown>;
        return { status: response.status, body };
      };
      const known = await answer(booking_id);
      expect(known, `${name} with ${authorization}`).toEqual(await answer(UNKNOWN));
      expect([401, 404], `${name} with ${authorization}`).toContain(known.status);
      expect(JSON.stringify(known.body)).not.toContain('secret');
    }
  }
  for (const caller of Object.values(callers)) caller.leave();
});

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

test.each(['message.list', 'message.send', 'receipt.mark'])(
  'the time of an answer to %s does not tell a booking of others from one that is not there',
  async (command) => {
    const others = await server.booking();
    const stranger = await Person.connect(server, await server.token('driver', `stranger to ${command}`));
    const timeOf = async (booking_id: string) => {
      const from = performance.now();
      expect((await refusal(stranger, command, booking_id))?.code).toBe('not_found');
      return performance.now() - from;
    };
    // What else the machine does slows a whole round down, on either side: the round in the middle counts.
    const ratios: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const foreign: number[] = [];
      const unknown: number[] = [];
      for (let n = 0; n < 60; n += 1) {
        const absent = `b-${crypto.randomUUID()}`;
        if (n % 2 === 0) unknown.push(await timeOf(absent));
        foreign.push(await timeOf(others));
        if (n % 2 === 1) unknown.push(await timeOf(absent));
      }
      ratios.push(median(foreign) / median(unknown));
    }
    expect(median(ratios)).toBeGreaterThan(0.67);
    expect(median(ratios)).toBeLessThan(1.5);
    stranger.leave();
  },
);
