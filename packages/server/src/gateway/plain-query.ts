import type { IncomingMessage } from 'node:http';

/** Where engine.io keeps the query of a request, and looks before it reads the URL. */
interface Queried extends IncomingMessage {
  _query?: Record<string, string>;
}

const AMPERSAND = '&'.charCodeAt(0);
const EQUALS = '='.charCodeAt(0);

/** The query of a URL as `URLSearchParams` reads it; undefined when it takes more than to split it. */
export function plainQuery(url: string): Record<string, string> | undefined {
  const query: Record<string, string> = {};
  let start = url.indexOf('?') + 1;
  if (start === 0) return undefined;
  let equals = -1;
  for (let at = start; at <= url.length; at += 1) {
    const letter = at < url.length ? url.charCodeAt(at) : AMPERSAND;
    if (letter === AMPERSAND) {
      const name = url.slice(start, equals < 0 ? at : equals);
      if (name === '__proto__') return undefined;
      if (at > start) query[name] = equals < 0 ? '' : url.slice(equals + 1, at);
      start = at + 1;
      equals = -1;
    } else if (letter === EQUALS) {
      if (equals < 0) equals = at;
    } else if (!standsForItself(letter)) return undefined;
  }
  return query;
}

/** Letters, digits and `-._~`, which nobody escapes. */
const standsForItself = (letter: number): boolean =>
  (letter >= 0x61 && letter <= 0x7a) ||
  (letter >= 0x41 && letter <= 0x5a) ||
  (letter >= 0x30 && letter <= 0x39) ||
  letter === 0x2d ||
  letter === 0x2e ||
  letter === 0x5f ||
  letter === 0x7e;

/** Ahead of engine.io, which makes a `URL` of each. */
export function readPlainQuery(request: Queried): void {
  const query = plainQuery(request.url ?? '');
  if (query) request._query = query;
}
