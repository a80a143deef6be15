import { afterEach, expect, test, vi } from 'vitest';
import { CurblineError } from './curbline-error.js';
import { identityOf, newClientId } from './identity.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

const jwt = (claims: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

test('a token tells whose it is, in any script', () => {
  expect(identityOf(jwt({ sub: 'محمد-कर-🚕?', scope: 'driver', exp: 1 }))).toEqual({
    user_id: 'محمد-कर-🚕?',
    scope: 'driver',
  });
});

test.each(['', 'opaque', 'a.b.c', jwt({ sub: 'x' }), jwt(null)])('%j names nobody', (token) => {
  expect(() => identityOf(token)).toThrow(CurblineError);
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const { crypto: real } = globalThis;
const onlyRandomValues = { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => real.getRandomValues(bytes) };

test.each([
  ['everywhere', real],
  ['on plain-http pages', onlyRandomValues],
  ['in React Native', undefined],
])('a client_id is a UUID %s', (_, source) => {
  vi.stubGlobal('crypto', source);
  const ids = Array.from({ length: 100 }, newClientId);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(100);
});
