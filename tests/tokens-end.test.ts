import type { ErrorObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';

let server: TestServer;
let secret: string;
beforeAll(async () => {
  server = await TestServer.start();
  secret = (await server.keys()).token_secret;
});
afterAll(() => server.stop());

const ended = (person: Person) => new Promise<string>((resolve) => person.socket.once('disconnect', resolve));

test('a token is announced to end, ends the socket at its time, and takes nothing later', async () => {
  const token = await server.token('driver', 'short', 3);
  const person = await Person.connect(server, token);
  const gone = ended(person);
  const { expires_at } = await person.hears<{ expires_at: string }>('token.expiring');
  expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(3_000);
  expect(await person.hears('disconnected')).toEqual({
    reason: 'token_expired',
    message: 'Socket disconnected',
  });
  expect(await gone).toBe('io server disconnect');
  const endedAt = Date.now();
  expect(endedAt).toBeGreaterThanOrEqual(Date.parse(expires_at));
  // Within a second, and half of one for the way here on a busy machine.
  expect(endedAt - Date.parse(expires_at)).toBeLessThan(1_500);
  expect(person.told('token.expiring')).toHaveLength(1);
  await expect(Person.connect(server, token)).rejects.toMatchObject({
    data: { error: { code: 'unauthenticated' } },
  });
});

test('a token of more than a minute is announced a minute before its end', async () => {
  const person = await Person.connect(server, await server.token('driver', 'minute', 62));
  expect(person.told('token.expiring')).toEqual([]);
  const { expires_at } = await person.hears<{ expires_at: string }>('token.expiring');
  expect(Math.abs(Date.parse(expires_at) - Date.now() - 60_000)).toBeLessThan(3_000);
  person.leave();
});

test('a refreshed socket outlives its first token; it is the same person or it is forbidden', async () => {
  const person = await Person.connect(server, await server.token('driver', 'refreshed', 3));
  const { expires_at: first } = await person.hears<{ expires_at: string }>('token.expiring');
  const refused: [string, string][] = [
    [await server.token('driver', 'another'), 'forbidden'],
    [await server.token('customer', 'refreshed'), 'forbidden'],
    ['nonsense', 'unauthenticated'],
    [
      jwt(
        { sub: 'refreshed', scope: 'driver', exp: nowS() + 60 },
        'a secret that is not the one of the server',
      ),
      'unauthenticated',
    ],
    [jwt({ sub: 'refreshed', scope: 'driver', exp: nowS() - 1 }, secret), 'unauthenticated'],
    // Later than any date.
    [jwt({ sub: 'refreshed', scope: 'driver', exp: 1e13 }, secret), 'unauthenticated'],
  ];
  for (const [token, code] of refused)
    expect((await person.error('token.refresh', { token })).code).toBe(code);
  const answer = await person.data<{ expires_at: string }>('token.refresh', {
    token: await server.token('driver', 'refreshed', 600),
  });
  expect(Date.parse(answer.expires_at)).toBeGreaterThan(Date.parse(first) + 300_000);
  // Another one of three seconds lives and ends meanwhile: the clock has passed the first end.
  const witness = await Person.connect(server, await server.token('driver', 'witness', 3));
  await witness.hears('disconnected');
  expect(Date.now()).toBeGreaterThan(Date.parse(first));
  expect(person.socket.connected).toBe(true);
  expect(person.told('disconnected')).toEqual([]);
  expect(await person.data('booking.list', {})).toEqual({ bookings: [], next_cursor: null });
  person.leave();
});

test('a refreshed token that is short again is announced again', async () => {
  const person = await Person.connect(server, await server.token('driver', 'again', 30));
  await person.hears('token.expiring');
  const { expires_at } = await person.data<{ expires_at: string }>('token.refresh', {
    token: await server.token('driver', 'again', 40),
  });
  const told = await person.hears<{ expires_at: string }>(
    'token.expiring',
    (event) => event.expires_at === expires_at,
  );
  expect(told.expires_at).toBe(expires_at);
  person.leave();
});

test('a revoked token cannot refresh a socket', async () => {
  const person = await Person.connect(server, await server.token('driver', 'clean'));
  await server.rest('DELETE', '/v1/users/driver/dirty/sessions');
  const dirty = jwt({ sub: 'dirty', scope: 'driver', iat: nowS() - 10, exp: nowS() + 600 }, secret);
  const error: ErrorObject = await person.error('token.refresh', { token: dirty });
  expect(error.code).toBe('unauthenticated');
  person.leave();
});

test('a token of the very second of the revocation is refused, whatever fraction of it the token names', async () => {
  await server.rest('DELETE', '/v1/users/driver/fractions/sessions');
  const claims = { sub: 'fractions', scope: 'driver', exp: nowS() + 600 };
  const connect = (iat: number) => Person.connect(server, jwt({ ...claims, iat }, secret));
  const database = await embeddedClient(server.dataDir);
  const { rows } = await database.query<{ at: string }>(
    "SELECT revoked_at_s AS at FROM revocations WHERE user_id = 'fractions'",
  );
  await database.end();
  const revokedAtS = Number(rows[0]?.at);
  for (const iat of [revokedAtS, revokedAtS + 0.9])
    await expect(connect(iat)).rejects.toMatchObject({ data: { error: { code: 'unauthenticated' } } });
  (await connect(revokedAtS + 1)).leave();
});
