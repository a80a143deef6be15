import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { PlainTokens } from './plain-tokens.js';

const SECRET = 'a shared secret of more than thirty-two bytes';
const KEY = new TextEncoder().encode(SECRET);
const nowS = Math.floor(Date.now() / 1_000);

const sign = (head: string, secret = SECRET, hash = 'sha256') =>
  `${head}.${createHmac(hash, secret).update(head).digest('base64url')}`;
const part = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');

const header = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom({ alg: 'HS256', typ: 'JWT' }, { alg: 'HS256' }) },
  fc.record(
    {
      alg: fc.constantFrom('HS256', 'HS384', 'none', 'hs256', 'RS256', 7),
      typ: fc.constantFrom('JWT', 'jwt', 5),
      kid: fc.constantFrom('1', null),
      crit: fc.constantFrom(['b64'], ['exp'], [], 'b64'),
      b64: fc.boolean(),
      zip: fc.constant('DEF'),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom('HS256', null, []),
);
const time = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: nowS + 100, max: nowS + 1_000 }) },
  fc.integer({ min: nowS - 1_000, max: nowS - 100 }),
  fc.constantFrom(`${nowS + 500}`, null, nowS + 500.5, 1e300),
);
const payload = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        sub: fc.oneof(fc.string(), fc.constantFrom(5, null, 'é', '\ud800')),
        scope: fc.constantFrom('driver', 'customer'),
        exp: time,
        nbf: fc.oneof(fc.constant(nowS - 500), time),
        iat: fc.oneof({ weight: 3, arbitrary: fc.constant(nowS - 500) }, time),
        aud: fc.constantFrom('x', ['y'], 5),
        iss: fc.constantFrom('x', 5),
        jti: fc.string(),
      },
      { requiredKeys: ['scope'] },
    ),
  },
  fc.constantFrom(null, [], 'text', 5),
);
/** What may happen to a token on its way. */
const change = fc.oneof(
  { weight: 8, arbitrary: fc.constant((token: string) => token) },
  fc
    .tuple(fc.nat(), fc.constantFrom('', '.', '=', '+', '/', 'A', ' ', '\n', 'é', '\u0000'), fc.nat(1))
    .map(([at, letter, drop]) => (token: string) => {
      const place = at % (token.length + 1);
      return token.slice(0, place) + letter + token.slice(place + drop);
    }),
  fc.constantFrom(
    (token: string) => `${token}.`,
    (token: string) => `${token}=`,
    (token: string) => token.slice(0, token.lastIndexOf('.') + 1),
    (token: string) => token.replaceAll('-', '+').replaceAll('_', '/'),
    (token: string) => sign(token.slice(0, token.lastIndexOf('.')), 'another secret, quite as long as that'),
    (token: string) => sign(token.slice(0, token.lastIndexOf('.')), SECRET, 'sha512'),
    // Signed as it is, with something in it that base64url leaves to the reader.
    (token: string) => sign(`${token.slice(0, token.lastIndexOf('.'))}=`),
    (token: string) => sign(`${token.slice(0, token.lastIndexOf('.'))}\n`),
  ),
);

test('what the first look takes, jose accepts with the same payload; and it takes ordinary tokens', async () => {
  const plain = new PlainTokens(SECRET);
  let taken = 0;
  let left = 0;
  await fc.assert(
    fc.asyncProperty(header, payload, change, async (head, claims, changed) => {
      const token = changed(sign(`${part(head)}.${part(claims)}`));
      const found = plain.payload(token);
      const accepted = await jwtVerify(token, KEY, {
        algorithms: ['HS256'],
        requiredClaims: ['exp', 'sub'],
      }).catch(() => undefined);
      if (found === undefined) {
        left += 1;
        return;
      }
      taken += 1;
      expect(accepted?.payload).toEqual(found);
    }),
    { numRuns: 4_000 },
  );
  expect(taken).toBeGreaterThan(200);
  expect(left).toBeGreaterThan(1_000);
  const ordinary = { sub: 'd-1', scope: 'driver', iat: nowS, exp: nowS + 60 };
  expect(plain.payload(sign(`${part({ alg: 'HS256', typ: 'JWT' })}.${part(ordinary)}`))).toEqual(ordinary);
});

test('bytes that are no UTF-8 are left to jose', () => {
  const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url');
  expect(new PlainTokens(SECRET).payload(sign(`${part({ alg: 'HS256' })}.${body}`))).toBeUndefined();
});

test('a good token is taken under a secret of any length, and under no other secret', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 200, unit: 'grapheme' }),
      fc.string(),
      (secret, other) => {
        const head = `${part({ alg: 'HS256' })}.${part({ sub: 'me', scope: 'driver', exp: nowS + 100 })}`;
        expect(new PlainTokens(secret).payload(sign(head, secret))).toMatchObject({ sub: 'me' });
        fc.pre(other !== secret);
        expect(new PlainTokens(secret).payload(sign(head, other))).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
});
