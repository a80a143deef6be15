import type { Scope } from '@curbline/contract';
import { CurblineError } from './curbline-error.js';

/** Who the token speaks for. */
export interface Identity {
  user_id: string;
  scope: Scope;
}

/** Reads `sub` and `scope` of a JWT. Not a check: that is the server's work. */
export const identityOf = (token: string): Identity => {
  try {
    const base64 = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? '';
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; scope?: unknown };
    if (typeof claims.sub === 'string' && typeof claims.scope === 'string') {
      return { user_id: claims.sub, scope: claims.scope as Scope };
    }
    throw new Error('sub or scope is missing');
  } catch (cause) {
    throw new CurblineError(
      'token',
      'The token is no JWT with sub and scope; for other tokens give `user`.',
      { cause },
    );
  }
};

/** A random UUID, also where `crypto.randomUUID` is missing: plain-http pages, React Native. */
export const newClientId = (): string => {
  const source = globalThis.crypto as Crypto | undefined;
  if (source?.randomUUID) return source.randomUUID();
  const bytes = new Uint8Array(16);
  if (source?.getRandomValues) source.getRandomValues(bytes);
  else for (let index = 0; index < 16; index += 1) bytes[index] = Math.random() * 256;
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return [...bytes]
    .map((byte, index) => ([4, 6, 8, 10].includes(index) ? '-' : '') + byte.toString(16).padStart(2, '0'))
    .join('');
};
