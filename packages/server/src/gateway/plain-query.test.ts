import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainQuery } from './plain-query.js';

const word = fc.string({ unit: fc.constantFrom('a', 'B', '7', '_', '-', '.', '~', '=') });
const pair = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(word, word).map(([name, value]) => `${name}=${value}`) },
  word,
  fc.constantFrom('', '__proto__=x', 'toString=y', 'a=1', 'a=2', '%41=1', 'a+b=c', 'é=1', '#', '?', ' '),
);
const url = fc
  .tuple(fc.constantFrom('/socket.io/', '/socket.io', '/socket.io/;a=b'), fc.array(pair))
  .map(([path, pairs]) => `${path}?${pairs.join('&')}`);

test('what is read here, URLSearchParams reads alike; and the query of a client is read here', () => {
  let read = 0;
  fc.assert(
    fc.property(url, (text) => {
      const found = plainQuery(text);
      if (found === undefined) return;
      read += 1;
      const { searchParams } = new URL(text, 'https://socket.io');
      expect(Object.entries(found)).toEqual(Object.entries(Object.fromEntries(searchParams.entries())));
    }),
    { numRuns: 2_000 },
  );
  expect(read).toBeGreaterThan(200);
  expect(plainQuery('/socket.io/?EIO=4&transport=websocket&type=flutter&token=a.b-c_d')).toEqual({
    EIO: '4',
    transport: 'websocket',
    type: 'flutter',
    token: 'a.b-c_d',
  });
});

test('whatever is escaped, or has no query, is left to engine.io', () => {
  for (const text of ['/socket.io/?a=%20', '/socket.io/?a=b+c', '/socket.io/?é', '/socket.io/', '/?a#b'])
    expect(plainQuery(text)).toBeUndefined();
});
