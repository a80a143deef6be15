import { Inject, Injectable } from '@nestjs/common';
import { personKey, type PersonRef } from '../actor.js';
import { Database } from './database.js';
import { Gathered } from './gathered.js';

/** What a handshake may wait for others to come along, when one has just been served. */
const REST_MS = 10;

interface Revocation {
  readonly scope: string;
  readonly user_id: string;
  readonly revoked_at_s: number;
}

/** From when on a person's tokens count again. */
@Injectable()
export class RevocationsStore {
  private readonly lookups = new Gathered((people: readonly PersonRef[]) => this.ofAll(people), REST_MS);

  constructor(@Inject(Database) private readonly database: Database) {}

  /** Refuses tokens issued up to and including this second. */
  async revoke(person: PersonRef, atS: number): Promise<void> {
    await this.database.rows(
      `INSERT INTO revocations (scope, user_id, revoked_at_s) VALUES ($1, $2, $3)
       ON CONFLICT (scope, user_id) DO UPDATE SET revoked_at_s = greatest(revocations.revoked_at_s, excluded.revoked_at_s)`,
      [person.scope, person.user_id, atS],
    );
  }

  /** The second of the person's last revocation, if any. Asked at every handshake. */
  revokedAt(person: PersonRef): Promise<number | undefined> {
    return this.lookups.one(person);
  }

  private async ofAll(people: readonly PersonRef[]): Promise<(number | undefined)[]> {
    const rows = await this.database.rows<{ [K in keyof Revocation]: Revocation[K] }>(
      `SELECT scope, user_id, revoked_at_s FROM revocations
       WHERE (scope, user_id) IN (SELECT * FROM json_to_recordset($1::json) AS asked (scope text, user_id text))`,
      [JSON.stringify(people.map(({ scope, user_id }) => ({ scope, user_id })))],
      'curbline-revoked',
    );
    if (rows.length === 0) return people.map(() => undefined);
    const found = new Map(rows.map((row) => [personKey(row as PersonRef), row.revoked_at_s]));
    return people.map((person) => found.get(personKey(person)));
  }
}
