import type { Scope } from '@curbline/contract';
import { CurblineError } from './curbline-error.js';

/** Who the token speaks for. */
export interface Identity {
  user_id: string;
  scope: Scope;
}

/** Reads `sub` and `scope` of a JWT. Not a check: that is the server's work. `retryable`: another one may be asked for. */
export const identityOf = (token: string, retryable = false): Identity => {
  try {
    const [, payload = ''] = token.split('.');
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    // Percent-encoding reads UTF-8 where there is no TextDecoder: React Native.
    const encoded = binary.replace(/[^]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
    const json = decodeURIComponent(encoded);
    const { sub, scope } = JSON.parse(json) as { sub?: string; scope?: Scope };
    if (!sub || !scope) throw new Error('sub or scope is missing');
    return { user_id: sub, scope };
  } catch (cause) {
    throw new CurblineError(
      'token',
      'The token is no JWT with sub and scope; for other tokens give `user`.',
      { cause, retryable },
    );
  }
};

/** A random UUID, also where `crypto.randomUUID` is missing: plain-http pages, React Native. */
export const newClientId = (): string => {
  const source = globalThis.crypto as Partial<Crypto> | undefined;
  if (source?.randomUUID) return source.randomUUID();
  const random = source?.getRandomValues
    ? source.getRandomValues(new Uint8Array(31))
    : Uint8Array.from({ length: 31 }, () => Math.random() * 256);
  let index = 0;
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () =>
    ((random[index++] ?? 0) & 15).toString(16),
  );
};
