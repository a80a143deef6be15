import type { Scope } from '@curbline/contract';

/** What a valid token says. */
export interface Identity {
  readonly user_id: string;
  readonly scope: Scope;
  readonly name?: string;
  /** Seconds since the epoch. */
  readonly expires_at_s: number;
  /** Seconds since the epoch; absent in some tokens. */
  readonly issued_at_s?: number;
}
