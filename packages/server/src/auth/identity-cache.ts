import { hash } from 'node:crypto';
import type { Identity } from './identity.js';

const MAX_TOKENS = 20_000;

/**
 * Tokens that were found good, until they expire: phones come back with the same one many times a minute. Kept by
 * hash, so that no token lies in memory. Revocations are asked each time, after this.
 */
export class IdentityCache {
  private readonly identities = new Map<string, Identity>();

  get(token: string): Identity | undefined {
    const key = keyOf(token);
    const identity = this.identities.get(key);
    if (identity === undefined || identity.expires_at_s * 1_000 > Date.now()) return identity;
    this.identities.delete(key);
    return undefined;
  }

  keep(token: string, identity: Identity): void {
    this.identities.set(keyOf(token), identity);
    if (this.identities.size <= MAX_TOKENS) return;
    const [oldest] = this.identities.keys();
    if (oldest !== undefined) this.identities.delete(oldest);
  }
}

const keyOf = (token: string): string => hash('sha256', token, 'base64');
