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

interface Found extends Opposite {
  /** Which of the people it is about, from 1. */
  readonly place: number;
}

/** When somebody was connected. */
export interface Sighting {
  readonly user_id: string;
  readonly at: Date;
  /** What the token calls them. */
  readonly name?: string | undefined;
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

  /**
   * The bookings with one of these statuses in which each of these people sits now and who sits opposite, newest first, at most
   * 500 of the 1,000 newest: who is told of presence. Cheaper than whole records, because every connect and disconnect asks it,
   * and bounded, because a driver of many years has ten thousand.
   */
  async opposites(
    scope: PartyScope,
    people: readonly PersonRef[],
    statuses: readonly string[],
  ): Promise<readonly (readonly Opposite[])[]> {
    const answers: Opposite[][] = people.map(() => []);
    const rows = await this.database.rows<{ [K in keyof Found]: Found[K] }>(
      `SELECT asked.place, found.*
       FROM json_array_elements_text($1::json) WITH ORDINALITY AS asked (id, place)
       JOIN ${peopleTable(scope)} me ON me.id = asked.id
       CROSS JOIN LATERAL (
         SELECT b.id, b.status, b.driver_no, b.closes_at, b.archived_at, b.active_at, other.user_id AS opposite_id
         FROM (
           SELECT booking_no, scope FROM participants
           WHERE person_no = me.no AND to_seq IS NULL ORDER BY booking_no DESC LIMIT 1000
         ) mine
         JOIN bookings b ON b.no = mine.booking_no AND b.status = ANY ($2) AND b.archived_at IS NULL
           AND (b.closes_at IS NULL OR b.closes_at > now())
         JOIN participants other ON other.booking_no = b.no AND other.to_seq IS NULL AND other.scope <> mine.scope
         ORDER BY mine.booking_no DESC LIMIT 500
       ) found
       ORDER BY asked.place`,
      [JSON.stringify(people.map(({ user_id }) => user_id)), statuses],
      `curbline-opposites-${scope}`,
    );
    for (const { place, ...opposite } of rows) answers[place - 1]?.push(opposite);
    return answers;
  }

  /**
   * Keeps when people were last connected, and a token's name where the host has given none. Nobody the host has not named is
   * written. Rows are locked in one order, so that two nodes never wait for each other.
   */
  async seen(scope: PartyScope, all: readonly Sighting[]): Promise<void> {
    if (all.length === 0) return;
    await this.database.rows(
      `WITH seen AS (
         SELECT id, to_timestamp(max(at) / 1000.0) AS at, max(name) AS name
         FROM json_to_recordset($1::json) AS s (id text, at bigint, name text) GROUP BY id
       ), mine AS (
         SELECT p.no, seen.at, seen.name FROM ${peopleTable(scope)} p JOIN seen ON seen.id = p.id ORDER BY p.no
         FOR NO KEY UPDATE OF p
       )
       UPDATE ${peopleTable(scope)} p
       SET last_seen_at = greatest(p.last_seen_at, mine.at), token_name = coalesce(p.token_name, mine.name)
       FROM mine
       WHERE p.no = mine.no AND (p.last_seen_at IS NULL OR p.last_seen_at < mine.at)`,
      [JSON.stringify(all.map(({ user_id, at, name }) => ({ id: user_id, at: at.getTime(), name })))],
      `curbline-seen-${scope}`,
    );
  }
}
