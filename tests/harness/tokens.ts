import { createHmac } from 'node:crypto';

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A JWT with any header and payload, signed with HMAC: what a library would refuse to make. */
export function jwt(
  payload: Record<string, unknown>,
  secret: string | Uint8Array,
  header: Record<string, unknown> = { alg: 'HS256', typ: 'JWT' },
): string {
  const body = `${part(header)}.${part(payload)}`;
  const hash = header['alg'] === 'HS512' ? 'sha512' : header['alg'] === 'HS384' ? 'sha384' : 'sha256';
  return `${body}.${createHmac(hash, secret).update(body).digest('base64url')}`;
}

export const nowS = (): number => Math.floor(Date.now() / 1_000);
