import { sql, type Kysely } from 'kysely';
import type { Profile } from './people.store.js';
import type { Tables } from './schema.js';

/** The booking itself. */
export interface BookingRow {
  readonly no: number;
  readonly id: string;
  readonly status: string;
  readonly driver_no: number | null;
  readonly customer_no: number;
  readonly connection_id: string | null;
  readonly closes_at: Date | null;
  readonly archived_at: Date | null;
  readonly active_at: Date;
  readonly last_seq: number;
  readonly driver_sent_seq: number;
  readonly customer_sent_seq: number;
  readonly epoch: number;
  readonly metadata: Record<string, unknown>;
}

/** A driver or customer with what the host told. */
export interface PersonRow {
  readonly no: number;
  readonly id: string;
  readonly connection_id: string | null;
  readonly profile: Profile;
  readonly token_name: string | null;
  /** ISO 8601 as PostgreSQL prints it inside JSON. */
  readonly last_seen_at: string | null;
}

/** A seat, of now (`to_seq` null) or of the past. */
export interface SeatRow {
  readonly no: number;
  readonly person_no: number;
  readonly scope: number;
  readonly user_id: string;
  readonly from_seq: number;
  readonly to_seq: number | null;
  readonly delivered_seq: number;
  readonly read_seq: number;
  readonly receipt_at: string | null;
  readonly joined_at: string | null;
}

/** A booking with its people and all seats it ever had, in the order they were opened. */
export interface BookingRecord extends BookingRow {
  readonly driver: PersonRow | null;
  readonly customer: PersonRow;
  readonly seats: readonly SeatRow[];
}

const person = (alias: string) =>
  sql.raw<string>(`json_build_object('no', ${alias}.no, 'id', ${alias}.id, 'connection_id', ${alias}.connection_id,
    'profile', ${alias}.profile, 'token_name', ${alias}.token_name, 'last_seen_at', ${alias}.last_seen_at)`);

/** Bookings as records, one statement: people and seats come as JSON. */
export const recordQuery = (db: Kysely<Tables>) =>
  db
    .selectFrom('bookings as b')
    .innerJoin('customers as c', 'c.no', 'b.customer_no')
    .leftJoin('drivers as d', 'd.no', 'b.driver_no')
    .select([
      'b.no',
      'b.id',
      'b.status',
      'b.driver_no',
      'b.customer_no',
      'b.connection_id',
      'b.closes_at',
      'b.archived_at',
      'b.active_at',
      'b.last_seq',
      'b.driver_sent_seq',
      'b.customer_sent_seq',
      'b.epoch',
      'b.metadata',
      sql<PersonRow>`${person('c')}`.as('customer'),
      sql<PersonRow | null>`CASE WHEN d.no IS NOT NULL THEN ${person('d')} END`.as('driver'),
      sql<SeatRow[]>`(SELECT coalesce(json_agg(json_build_object('no', p.no, 'person_no', p.person_no,
        'scope', p.scope, 'user_id', p.user_id, 'from_seq', p.from_seq, 'to_seq', p.to_seq,
        'delivered_seq', p.delivered_seq, 'read_seq', p.read_seq, 'receipt_at', p.receipt_at,
        'joined_at', p.joined_at) ORDER BY p.no), '[]') FROM participants p WHERE p.booking_no = b.no)`.as(
        'seats',
      ),
    ]);

/** One record by the host's id. */
export const loadRecord = (db: Kysely<Tables>, id: string): Promise<BookingRecord | undefined> =>
  recordQuery(db).where('b.id', '=', id).executeTakeFirst();
