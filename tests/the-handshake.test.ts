import type { ErrorObject } from '@curbline/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import { WebSocket } from 'ws';
import { Person } from './harness/people.js';
import { RawPeer } from './harness/raw-packets.js';
import { TestServer } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';

type Options = Partial<ManagerOptions & SocketOptions>;

let server: TestServer;
let secret: string;

beforeAll(async () => {
  server = await TestServer.start({ CURBLINE_LOG_LEVEL: 'trace' });
  secret = (await server.keys()).token_secret;
});
afterAll(() => server.stop());

const good = (user_id: string, more: Record<string, unknown> = {}) =>
  jwt({ sub: user_id, scope: 'driver', iat: nowS(), exp: nowS() + 600, ...more }, secret);

const connect = (options: Options, to: Pick<TestServer, 'url'> = server) =>
  Person.connect(to, '', { auth: {}, ...options });

async function refusal(options: Options, to: Pick<TestServer, 'url'> = server): Promise<ErrorObject> {
  const error = await connect(options, to).then(
    (person) => {
      person.leave();
      throw new Error('it was let in');
    },
    (reason: unknown) => reason as Error & { data?: { error: ErrorObject } },
  );
  if (!error.data) throw error;
  expect(error.data).toEqual({ error: expect.objectContaining({ request_id: expect.any(String) }) });
  return error.data.error;
}
const expectRefused = async (options: Options, to?: Pick<TestServer, 'url'>) =>
  expect(await refusal(options, to), JSON.stringify(options)).toMatchObject({
    code: 'unauthenticated',
    retryable: false,
  });

/** Who the server takes the caller for: a person with a booking of their own can read it. */
async function expectLetIn(user_id: string, options: Options, to: TestServer = server): Promise<void> {
  const booking_id = await to.booking(undefined, { driver: user_id });
  const person = await connect(options, to);
  expect(await person.ask('message.list', { booking_id })).toHaveProperty('data');
  person.leave();
}

describe('the places of a token', () => {
  const places = (tokens: (string | undefined)[]): Options => {
    const [auth, bearer, header, query] = tokens;
    return {
      ...(auth !== undefined && { auth: { token: auth } }),
      extraHeaders: {
        ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
        ...(header !== undefined && { token: header }),
      },
      ...(query !== undefined && { query: { token: query } }),
    };
  };

  test('each of the four is enough', async () => {
    for (let place = 0; place < 4; place += 1) {
      const user = `place-${place}`;
      await expectLetIn(
        user,
        places([0, 1, 2, 3].map((index) => (index === place ? good(user) : undefined))),
      );
    }
  });

  test('the first one present decides, good or bad', async () => {
    for (let first = 0; first < 4; first += 1) {
      const user = `first-${first}`;
      const after = [0, 1, 2, 3].map((index) =>
        index < first ? undefined : index === first ? good(user) : 'bad',
      );
      await expectLetIn(user, places(after));
      if (first < 3) {
        await expectRefused(
          places(
            [0, 1, 2, 3].map((index) => (index < first ? undefined : index === first ? 'bad' : good(user))),
          ),
        );
      }
    }
  });

  test('an Authorization header that is not Bearer counts as absent', async () => {
    for (const authorization of ['Basic dXNlcjpwYXNz', 'Digest x', 'Bearer', 'bearer ']) {
      const token = good('basic');
      await expectLetIn('basic', { extraHeaders: { Authorization: authorization, token } });
      await expectRefused({ extraHeaders: { Authorization: authorization } });
    }
    // What is Bearer and no token decides, too.
    await expectRefused({ extraHeaders: { Authorization: 'Bearer a b', token: good('basic') } });
    await expectLetIn('small', { extraHeaders: { authorization: `bearer ${good('small')}` } });
  });

  test('without a token, or with something that is none, nobody is let in', async () => {
    await expectRefused({});
    for (const token of [7, {}, [good('array')], true, 'x', 'a.b.c', '..', 'x'.repeat(9_000)])
      await expectRefused({ auth: { token } });
  });
});

test('a token that is not good in every way is refused', async () => {
  const s = nowS();
  const claims = { sub: 'd', scope: 'driver', iat: s, exp: s + 600 };
  const [head, , signature] = jwt(claims, secret).split('.');
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'someone-else' })).toString('base64url');
  const bad: Record<string, string> = {
    'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged}.`,
    'alg None with a signature': jwt(claims, secret, { alg: 'None' }),
    'another secret': jwt(claims, 'another secret, also of more than 32 bytes'),
    'an empty secret': jwt(claims, ''),
    HS512: jwt(claims, secret, { alg: 'HS512' }),
    'RS256 signed with the secret': jwt(claims, secret, { alg: 'RS256' }),
    'a foreign payload': `${head}.${forged}.${signature}`,
    'no signature': `${head}.${forged}.`,
    expired: jwt({ ...claims, exp: s - 1 }, secret),
    'no exp': jwt({ sub: 'd', scope: 'driver', iat: s }, secret),
    'exp as text': jwt({ ...claims, exp: `${s + 600}` }, secret),
    'no sub': jwt({ scope: 'driver', iat: s, exp: s + 600 }, secret),
    'an empty sub': jwt({ ...claims, sub: '' }, secret),
    'a sub of 129': jwt({ ...claims, sub: 'x'.repeat(129) }, secret),
    'a sub with NUL': jwt({ ...claims, sub: 'a\u0000' }, secret),
    'a sub that is a number': jwt({ ...claims, sub: 7 }, secret),
    'no scope': jwt({ sub: 'd', exp: s + 600 }, secret),
    'an unknown scope': jwt({ ...claims, scope: 'admin' }, secret),
    'a prototype scope': jwt({ ...claims, scope: 'constructor' }, secret),
    'several scopes': jwt({ ...claims, scope: ['driver'] }, secret),
    'not valid yet': jwt({ ...claims, nbf: s + 300 }, secret),
    'a critical header that nobody knows': jwt(claims, secret, { alg: 'HS256', crit: ['x'], x: 1 }),
  };
  for (const [what, token] of Object.entries(bad)) {
    const error = await refusal({ auth: { token } });
    expect(error.code, what).toBe('unauthenticated');
    expect(JSON.stringify(error)).not.toContain(token);
  }
  await expectLetIn('d', { auth: { token: jwt(claims, secret) } });
});

test('after a revocation older tokens and those without iat are refused, newer ones are let in', async () => {
  const user = 'revoked one';
  const live = await connect({ auth: { token: good(user) } });
  const gone = new Promise<string>((resolve) => live.socket.once('disconnect', resolve));
  const path = `/v1/users/driver/${encodeURIComponent(user)}/sessions`;
  const before = nowS();
  expect((await server.rest('DELETE', path)).status).toBe(204);
  const after = nowS();
  expect(await live.hears('disconnected')).toEqual({ reason: 'revoked', message: 'Socket disconnected' });
  // The word of a server that does not want this client back.
  expect(await gone).toBe('io server disconnect');
  for (const iat of [before - 100, before, undefined]) {
    await expectRefused({ auth: { token: good(user, { iat }) } });
  }
  await expectLetIn(user, { auth: { token: good(user, { iat: after + 1 }) } });
  // The same id in the other role is another person.
  const customer = jwt({ sub: user, scope: 'customer', iat: before, exp: before + 600 }, secret);
  (await connect({ auth: { token: customer } })).leave();
});

test('the client type comes from auth, else from the query, and is a word', async () => {
  const tries: [Options, string][] = [
    [{ auth: { type: 'flutter' }, query: { type: 'web' } }, 'flutter'],
    [{ query: { type: 'ios' } }, 'ios'],
    [{ auth: { type: 'Not A Word!' } }, 'unknown'],
    [{ auth: { type: { a: 1 } } }, 'unknown'],
    [{ auth: { type: 'x'.repeat(33) } }, 'unknown'],
    [{}, 'unknown'],
  ];
  const customer = `typed-${crypto.randomUUID()}`;
  const other = await Person.connect(server, await server.token('customer', customer));
  await Promise.all(
    tries.map(async ([options, type], index) => {
      const booking_id = await server.booking(undefined, { driver: `typed-${index}`, customer });
      const auth = { ...(options.auth as object | undefined), token: good(`typed-${index}`) };
      const person = await connect({ ...options, auth });
      const told = await other.hears<{ booking_id: string; types: string[] }>(
        'presence.updated',
        (event) => event.booking_id === booking_id,
      );
      expect(told.types).toEqual([type]);
      person.leave();
    }),
  );
  other.leave();
});

test.each(['websocket', 'polling'] as const)('a client that has only %s works', async (transport) => {
  const booking_id = await server.booking(undefined, { driver: `by-${transport}` });
  const person = await connect({
    auth: { token: good(`by-${transport}`) },
    transports: [transport],
    upgrade: false,
  });
  await person.data('booking.join', { booking_id });
  await person.hears('create-connection');
  expect(person.socket.io.engine.transport.name).toBe(transport);
  await expectRefused({ auth: { token: 'bad' }, transports: [transport], upgrade: false });
  person.leave();
});

test('nothing is run for a socket before its token was checked, and one without a token is ended in time', async () => {
  const peer = await RawPeer.open(server);
  peer.send('420["message.list",{"booking_id":"x"}]');
  const idle = await RawPeer.open(server);
  expect(await peer.until((frame) => frame.startsWith('43'), 15_000)).toBeUndefined();
  expect(await idle.until((frame) => frame.startsWith('4'), 15_000)).toBeUndefined();
}, 40_000);

test('neither tokens nor query strings are in anything the server prints', async () => {
  const token = good('quiet');
  await expectLetIn('quiet', { query: { token, secret_word: 'marmalade' } });
  await expectRefused({ query: { token: 'bad.marmalade.token' } });
  await fetch(`${server.url}/v1/bookings?token=${token}&x=marmalade`);
  await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=marmalade&token=${token}`);
  await fetch(`${server.url}/nowhere?token=${token}&x=marmalade`);
  // Something that is logged for sure, later than all of it.
  await server.kill('SIGTERM');
  expect(server.output).not.toContain('marmalade');
  expect(server.output).not.toContain(token.split('.')[2]);
  await server.up();
});

describe('a server with closed doors', () => {
  let closed: TestServer;
  beforeAll(async () => {
    closed = await TestServer.start({
      CURBLINE_TOKEN_SECRET: secret,
      CURBLINE_QUERY_TOKEN: 'off',
      CURBLINE_CORS_ORIGINS: 'https://app.example/,http://localhost:3000,capacitor://localhost',
      CURBLINE_TRANSPORTS: 'websocket,polling',
    });
  });
  afterAll(() => closed.stop());

  test('a token in the query is not looked at', async () => {
    await expectRefused({ query: { token: good('q') } }, closed);
    await expectLetIn('q', { auth: { token: good('q') }, query: { token: 'bad' } }, closed);
  });

  const upgrade = (origin?: string) =>
    new Promise<boolean>((resolve) => {
      const url = `${closed.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
      const socket = new WebSocket(url, origin === undefined ? {} : { origin });
      socket.on('open', () => {
        resolve(true);
        socket.terminate();
      });
      socket.on('error', () => resolve(false));
    });
  const poll = async (origin?: string) => {
    const url = `${closed.url}/socket.io/?EIO=4&transport=polling`;
    return (await fetch(url, { headers: origin === undefined ? {} : { origin } })).ok;
  };

  /** A page may read what the answer names its origin in; browsers keep the rest from it. */
  const readsRest = async (origin: string) => {
    const { headers } = await fetch(`${closed.url}/v1/bookings`, { method: 'OPTIONS', headers: { origin } });
    return headers.get('access-control-allow-origin') === origin;
  };

  test('browsers let listed pages read what polling answers, and ask before they send; no other page', async () => {
    const url = `${closed.url}/socket.io/?EIO=4&transport=polling`;
    const allowed = async (method: string, origin: string) => {
      const asked = { origin, 'access-control-request-method': 'POST' };
      return (await fetch(url, { method, headers: asked })).headers.get('access-control-allow-origin');
    };
    for (const method of ['GET', 'OPTIONS']) {
      for (const origin of ['https://app.example', 'capacitor://localhost'])
        expect(await allowed(method, origin), `${method} ${origin}`).toBe(origin);
      for (const origin of ['https://evil.example', 'null'])
        expect(await allowed(method, origin), `${method} ${origin}`).toBeNull();
    }
  });

  test('pages of foreign origins are refused on both transports and by REST; listed ones, its own, and apps are not', async () => {
    const port = new URL(closed.url).port;
    const listed = ['https://app.example', 'http://localhost:3000', 'capacitor://localhost'];
    for (const origin of listed) expect(await readsRest(origin), origin).toBe(true);
    for (const origin of [...listed, closed.url, undefined]) {
      expect(await upgrade(origin), `websocket ${origin}`).toBe(true);
      expect(await poll(origin), `polling ${origin}`).toBe(true);
    }
    for (const origin of [
      'https://evil.example',
      'http://app.example',
      'https://app.example.evil',
      'null',
      'x',
      `http://evil:${port}`,
      'https://app.example:444',
    ]) {
      expect(await upgrade(origin), `websocket ${origin}`).toBe(false);
      expect(await poll(origin), `polling ${origin}`).toBe(false);
      expect(await readsRest(origin), `REST ${origin}`).toBe(false);
    }
  });
});
