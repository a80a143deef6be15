import { createHmac } from 'node:crypto';

const HEADER = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');

/** A user token as the contract describes it: HS256, `sub`, `scope`, `iat`, `exp`. */
export function mintToken(
  secret: string,
  sub: string,
  scope: 'driver' | 'customer',
  ttlS = 6 * 3600,
): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = Buffer.from(JSON.stringify({ sub, scope, name: sub, iat, exp: iat + ttlS })).toString(
    'base64url',
  );
  const signature = createHmac('sha256', secret).update(`${HEADER}.${claims}`).digest('base64url');
  return `${HEADER}.${claims}.${signature}`;
}
