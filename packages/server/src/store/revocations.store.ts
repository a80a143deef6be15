import { Inject, Injectable } from '@nestjs/common';
import type { PersonRef } from '../actor.js';
import { Database } from './database.js';

/** From when on a person's tokens count again. */
@Injectable()
export class RevocationsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Refuses tokens issued up to and including this second. */
  async revoke(person: PersonRef, atS: number): Promise<void> {
    await this.database.rows(
      `INSERT INTO revocations (scope, user_id, revoked_at_s) VALUES ($1, $2, $3)
       ON CONFLICT (scope, user_id) DO UPDATE SET revoked_at_s = greatest(revocations.revoked_at_s, excluded.revoked_at_s)`,
      [person.scope, person.user_id, atS],
    );
  }

  /** The second of the person's last revocation, if any. */
  async revokedAt(person: PersonRef): Promise<number | undefined> {
    const rows = await this.database.rows<{ revoked_at_s: number }>(
      'SELECT revoked_at_s FROM revocations WHERE scope = $1 AND user_id = $2',
      [person.scope, person.user_id],
      'curbline-revoked',
    );
    return rows[0]?.revoked_at_s;
  }
}
