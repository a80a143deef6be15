import type { ErrorObject } from '@curbline/contract';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';
import { until } from './harness/until.js';

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'PS256', 'RS512', 'ES384'] as const;
const SERVED = new Set(['RS256', 'ES256', 'EdDSA']);
type Algorithm = (typeof ALGORITHMS)[number];

const keys = new Map<Algorithm, { privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK }>();
let keySet: Server;
let asked = 0;
let serves: 'keys' | 'an error' | 'nonsense' | 'no keys' | 'a broken line' = 'keys';
let server: TestServer;

beforeAll(async () => {
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    // Without `alg`: what a key may be used for is the server's decision, not the key set's.
    keys.set(alg, { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid: alg } });
  }
  keySet = createServer((_request, response) => {
    asked += 1;
    if (serves === 'a broken line') {
      response.destroy();
      return;
    }
    response.writeHead(serves === 'an error' ? 500 : 200, { 'content-type': 'application/json' });
    const jwks = { keys: [...keys.values()].map(({ jwk }) => jwk) };
    response.end(
      serves === 'nonsense' ? '<html>' : JSON.stringify(serves === 'no keys' ? { error: 'none' } : jwks),
    );
  });
  keySet.listen(0, '127.0.0.1');
  await once(keySet, 'listening');
  const { port } = keySet.address() as AddressInfo;
  server = await TestServer.start({ CURBLINE_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` });
});
afterAll(async () => {
  await server.stop();
  keySet.close();
});

const claims = () => ({ sub: 'from elsewhere', scope: 'driver', iat: nowS(), exp: nowS() + 600 });
const signed = async (alg: Algorithm, more: object = {}, kid: string = alg) => {
  const key = keys.get(alg);
  if (!key) throw new Error(`no key for ${alg}`);
  return new SignJWT({ ...claims(), ...more }).setProtectedHeader({ alg, kid }).sign(key.privateKey);
};
const refusal = async (token: string): Promise<ErrorObject> =>
  Person.connect(server, token).then(
    () => {
      throw new Error('it was let in');
    },
    (error: { data: { error: ErrorObject } }) => error.data.error,
  );

test('while the key set cannot be reached, or is none, the answer is unavailable, and works when it is back', async () => {
  const token = await signed('RS256');
  for (const trouble of ['an error', 'nonsense', 'no keys', 'a broken line'] as const) {
    serves = trouble;
    expect(await refusal(token), trouble).toMatchObject({ code: 'unavailable', retryable: true });
  }
  // A token that is none needs no key to be refused.
  expect((await refusal('a.b.c')).code).toBe('unauthenticated');
  expect((await refusal(jwt(claims(), 'x'.repeat(32)))).code).toBe('unauthenticated');
  serves = 'keys';
  (await Person.connect(server, token)).leave();
});

test('RS256, ES256 and EdDSA are let in, every other algorithm is refused', async () => {
  for (const alg of ALGORITHMS) {
    const token = await signed(alg);
    if (SERVED.has(alg)) (await Person.connect(server, token)).leave();
    else expect((await refusal(token)).code, alg).toBe('unauthenticated');
  }
});

test('a public key is never taken for a secret', async () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const key = keys.get(alg);
    if (!key) throw new Error('all are made');
    const pem = await exportSPKI(key.publicKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(key.jwk), key.jwk.n ?? key.jwk.x ?? '']) {
      for (const header of [{ alg: 'HS256', kid: alg }, { alg: 'HS256' }, { alg, kid: alg }]) {
        expect((await refusal(jwt(claims(), secret, header))).code).toBe('unauthenticated');
      }
    }
  }
});

test('another key, an unknown one, and claims that are missing are refused', async () => {
  const foreign = await generateKeyPair('RS256');
  const bad = [
    await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'RS256' }).sign(foreign.privateKey),
    await signed('RS256', {}, 'nobody'),
    await signed('RS256', {}, 'ES256'),
    await signed('ES256', { exp: nowS() - 1 }),
    await signed('ES256', { exp: undefined }),
    await signed('EdDSA', { sub: undefined }),
    await signed('EdDSA', { scope: 'root' }),
    // The token must not say where its key is.
    await new SignJWT(claims())
      .setProtectedHeader({
        alg: 'RS256',
        jku: 'http://127.0.0.1:1/keys',
        jwk: await exportJWK(foreign.publicKey),
      })
      .sign(foreign.privateKey),
  ];
  for (const token of bad) expect((await refusal(token)).code).toBe('unauthenticated');
});

test('the key set is asked once for many tokens, and the server issues none itself', async () => {
  const token = await signed('ES256');
  (await Person.connect(server, token)).leave();
  const before = asked;
  for (let n = 0; n < 10; n += 1) (await Person.connect(server, await signed('ES256'))).leave();
  expect(asked).toBe(before);
  const { status } = await server.rest('POST', '/v1/tokens', { user_id: 'u', scope: 'driver' });
  expect(status).toBe(404);
});

test('a key that the key set has just got is known within seconds; one that it never gets costs no flood of questions', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const before = await new SignJWT(claims())
    .setProtectedHeader({ alg: 'ES256', kid: 'next' })
    .sign(privateKey);
  // Asked for just now, and not there yet.
  await refusal(before);
  const old = keys.get('ES256');
  if (!old) throw new Error('all are made');
  keys.set('ES256', { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid: 'next' } });
  const [from, asking] = [performance.now(), asked];
  await until(
    'the new key is known',
    () =>
      Person.connect(server, before).then(
        (person) => {
          person.leave();
          return true;
        },
        () => false,
      ),
    8_000,
  );
  // Knocking all the time, it was asked once for each pause.
  expect(asked - asking).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - from) / 2_000));
  keys.set('ES256', old);
});
