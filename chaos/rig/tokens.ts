import { createHmac } from 'node:crypto';

export const TOKEN_SECRET = 'a secret of the fault suite, thirty-two bytes and more';
export const API_KEY = 'key-of-the-fault-suite-0123456789';
const HEADER = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
const TTL_S = 24 * 3_600;

export interface Person {
  user_id: string;
  scope: 'driver' | 'customer';
}

export function mintToken({ user_id: sub, scope }: Person): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = Buffer.from(JSON.stringify({ sub, scope, iat, exp: iat + TTL_S })).toString('base64url');
  return `${HEADER}.${claims}.${createHmac('sha256', TOKEN_SECRET).update(`${HEADER}.${claims}`).digest('base64url')}`;
}
