import type { PartyScope, PersonInput } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { sql, type Kysely } from 'kysely';
import type { PersonRef } from '../actor.js';
import { Database } from './database.js';
import { Gathered } from './gathered.js';
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

/** Presence can wait a moment; under a flood of people, each query then serves many. */
const REST_MS = 50;

interface Found extends Opposite {
  /** Which of the questions it answers, from 1. */
  readonly place: number;
}

interface Asked {
  readonly user_id: string;
  readonly statuses: readonly string[];
}

interface Sighting {
  readonly user_id: string;
  readonly at: Date;
  /** What the token calls them. */
  readonly name: string | null;
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
  private readonly lookups = byScope(
    (scope) => new Gathered((all: readonly Asked[]) => this.oppositesOf(scope, all), REST_MS),
  );
  private readonly sightings = byScope(
    (scope) => new Gathered((all: readonly Sighting[]) => this.saw(scope, all), REST_MS),
  );

  constructor(@Inject(Database) private readonly database: Database) {}

  /** Keeps when a person was last connected, and a token's name. Nobody the host has not named is written. */
  async seen({ scope, user_id, name }: PersonRef & { name?: string }, at: Date): Promise<void> {
    if (scope === 'support') return;
    await this.sightings[scope].one({ user_id, at, name: name ?? null });
  }

  /**
   * The bookings with one of these statuses in which a person sits now and who sits opposite, newest first, at most 500 of
   * the 1,000 newest: who is told of presence. Cheaper than whole records, because every connect and disconnect asks it,
   * and bounded, because a driver of many years has ten thousand.
   */
  opposites(
    person: { scope: PartyScope; user_id: string },
    statuses: readonly string[],
  ): Promise<readonly Opposite[]> {
    return this.lookups[person.scope].one({ user_id: person.user_id, statuses });
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

  /** There is one policy, so all of them ask for the same statuses. */
  private async oppositesOf(scope: PartyScope, all: readonly Asked[]): Promise<readonly Opposite[][]> {
    const answers: Opposite[][] = all.map(() => []);
    const rows = await this.database.rows<{ [K in keyof Found]: Found[K] }>(
      `SELECT asked.place, found.*
       FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, place)
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
      [all.map(({ user_id }) => user_id), all[0]?.statuses ?? []],
      `curbline-opposites-${scope}`,
    );
    for (const { place, ...opposite } of rows) answers[place - 1]?.push(opposite);
    return answers;
  }

  /** Rows are locked in one order, so that two nodes never wait for each other. */
  private async saw(scope: PartyScope, all: readonly Sighting[]): Promise<readonly undefined[]> {
    await this.database.rows(
      `WITH seen AS (
         SELECT id, max(at) AS at, max(name) AS name
         FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS s (id, at, name) GROUP BY id
       ), mine AS (
         SELECT p.no, seen.at, seen.name FROM ${peopleTable(scope)} p JOIN seen ON seen.id = p.id ORDER BY p.no
         FOR NO KEY UPDATE OF p
       )
       UPDATE ${peopleTable(scope)} p
       SET last_seen_at = greatest(p.last_seen_at, mine.at), token_name = coalesce(p.token_name, mine.name)
       FROM mine
       WHERE p.no = mine.no AND (p.last_seen_at IS NULL OR p.last_seen_at < mine.at)`,
      [all.map(({ user_id }) => user_id), all.map(({ at }) => at), all.map(({ name }) => name)],
      `curbline-seen-${scope}`,
    );
    return all.map(() => undefined);
  }
}

const byScope = <T>(make: (scope: PartyScope) => T): Record<PartyScope, T> => ({
  driver: make('driver'),
  customer: make('customer'),
});
