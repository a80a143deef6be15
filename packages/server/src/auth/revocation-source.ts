import type { PersonRef } from '../actor.js';

/** Where revocations are kept: bound to the store by the module, so that `auth` needs no SQL. */
export interface RevocationSource {
  /** The second of the person's last revocation, if any. */
  revokedAt(person: PersonRef): Promise<number | undefined>;
}

/** Injection token of the source. */
export const REVOCATIONS = Symbol('curbline.revocations');
