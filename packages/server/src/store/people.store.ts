import type { PartyScope, PersonInput } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { sql, type Kysely } from 'kysely';
import type { PersonRef } from '../actor.js';
import { Database } from './database.js';
import type { Tables } from './schema.js';

/** What the host told of a person, without the id. */
export type Profile = Omit<PersonInput, 'id'>;

/** A booking with the person on the other side, as far as presence needs it. */
export interface Opposite {
  readonly id: string;
  readonly status: string;
  readonly driver_no: number | null;
  readonly closes_at: Date | null;
  readonly archived_at: Date | null;
  readonly active_at: Date;
  readonly opposite_id: string;
}

/** The table of a role. */
const peopleTable = (scope: PartyScope): 'drivers' | 'customers' =>
  scope === 'driver' ? 'drivers' : 'customers';

/** Writes what the host says of a person, and returns the internal number. Runs in the caller's transaction. */
export async function upsertPerson(
  db: Kysely<Tables>,
  scope: PartyScope,
  person: PersonInput,
): Promise<number> {
  const { id, ...profile } = person;
  const row = await db
    .insertInto(peopleTable(scope))
    .values({ id, profile: JSON.stringify(profile) })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ profile: JSON.stringify(profile), updated_at: sql<Date>`now()` }),
    )
    .returning('no')
    .executeTakeFirstOrThrow();
  return row.no;
}

/** Drivers and customers, apart from their bookings. */
@Injectable()
export class PeopleStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Keeps when a person was last connected. Nobody the host has not named is written. */
  async seen(person: PersonRef, at: Date): Promise<void> {
    if (person.scope === 'support') return;
    const table = peopleTable(person.scope);
    await this.database.run((db) =>
      db.updateTable(table).set({ last_seen_at: at }).where('id', '=', person.user_id).execute(),
    );
  }

  /**
   * The bookings in which a person sits now and who sits opposite, newest first, at most 50: who is told of
   * presence. Cheaper than whole records, because every connect and disconnect asks it.
   */
  async opposites(person: { scope: PartyScope; user_id: string }): Promise<Opposite[]> {
    return this.database.rows<{ [K in keyof Opposite]: Opposite[K] }>(
      `SELECT b.id, b.status, b.driver_no, b.closes_at, b.archived_at, b.active_at, other.user_id AS opposite_id
       FROM ${peopleTable(person.scope)} me
       JOIN participants mine ON mine.person_no = me.no AND mine.to_seq IS NULL
       JOIN bookings b ON b.no = mine.booking_no
       JOIN participants other ON other.booking_no = b.no AND other.to_seq IS NULL AND other.scope <> mine.scope
       WHERE me.id = $1 ORDER BY mine.booking_no DESC LIMIT 50`,
      [person.user_id],
      `curbline-opposites-${person.scope}`,
    );
  }

  /** Keeps the name of a token, shown while the host has given none. */
  async named(person: PersonRef, name: string): Promise<void> {
    if (person.scope === 'support') return;
    const table = peopleTable(person.scope);
    await this.database.run((db) =>
      db
        .updateTable(table)
        .set({ token_name: name })
        .where('id', '=', person.user_id)
        .where('token_name', 'is distinct from', name)
        .execute(),
    );
  }
}
