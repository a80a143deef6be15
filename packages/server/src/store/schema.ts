import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date | string | undefined, Date | string>;
type NullableTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** JSON columns are read parsed and written as text. */
type Json = ColumnType<Record<string, unknown>, string | undefined, string>;

export interface PersonTable {
  no: Generated<number>;
  id: string;
  connection_id: ColumnType<string | null, string | null | undefined, string | null>;
  profile: Json;
  token_name: ColumnType<string | null, string | null | undefined, string | null>;
  last_seen_at: NullableTime;
  created_at: Time;
  updated_at: Time;
}

export interface BookingTable {
  no: Generated<number>;
  id: string;
  status: string;
  driver_no: number | null;
  customer_no: number;
  connection_id: ColumnType<string | null, string | null | undefined, string | null>;
  closes_at: NullableTime;
  closing_told: Generated<boolean>;
  archived_at: NullableTime;
  last_seq: Generated<number>;
  driver_sent_seq: Generated<number>;
  customer_sent_seq: Generated<number>;
  active_at: Time;
  epoch: Generated<number>;
  metadata: Json;
  created_at: Time;
}

export interface ParticipantTable {
  no: Generated<number>;
  booking_no: number;
  person_no: number;
  scope: number;
  user_id: string;
  from_seq: number;
  to_seq: ColumnType<number | null, number | null | undefined, number | null>;
  delivered_seq: Generated<number>;
  read_seq: Generated<number>;
  receipt_at: NullableTime;
  joined_at: NullableTime;
}

/** The tables of the migrations, as kysely sees them. */
export interface Tables {
  drivers: PersonTable;
  customers: PersonTable;
  connections: {
    id: string;
    driver_no: number;
    customer_no: number;
    created_at: Time;
  };
  bookings: BookingTable;
  participants: ParticipantTable;
  messages: {
    booking_no: number;
    sender_no: number;
    created_at: Time;
    seq: number;
    kind: number;
    flags: number;
    id: string;
    client_id: string;
    body: string;
  };
  locations: { booking_no: number; person_no: number; position: Json; at: Time };
  revocations: { scope: string; user_id: string; revoked_at_s: number };
  idempotency_keys: { path: string; key: string; client_id: string; created_at: Time };
}
