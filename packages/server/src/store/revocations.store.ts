import { Inject, Injectable } from '@nestjs/common';
import type { PersonRef } from '../actor.js';
import { PG_ARRAY } from './bind-message.js';
import { Database } from './database.js';
import { Gathered } from './gathered.js';
import type { Statement } from './prepared-queries.js';

/** What a handshake may wait for others to come along, when one has just been served and more come. */
const REST_MS = 2;

/** Which of the people asked for were ever revoked: their places in the question, from 1, and the second. */
const REVOKED: Statement = {
  name: 'curbline-revoked',
  types: [PG_ARRAY.text, PG_ARRAY.text],
  text: `
SELECT asked.place, revocations.revoked_at_s
FROM unnest($1, $2) WITH ORDINALITY AS asked (scope, user_id, place)
JOIN revocations ON revocations.scope = asked.scope AND revocations.user_id = asked.user_id`,
};

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
    const rows = await this.database.check(REVOKED, (message) => {
      message.texts(people, ({ scope }) => scope);
      message.texts(people, ({ user_id }) => user_id);
    });
    const revoked: (number | undefined)[] = people.map(() => undefined);
    for (const [place, atS] of rows) revoked[Number(place) - 1] = Number(atS);
    return revoked;
  }
}
