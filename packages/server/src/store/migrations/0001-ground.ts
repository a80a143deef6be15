import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * People, connections, bookings, seats, and the log.
 *
 * - `no` columns are internal numbers: eight bytes in the log instead of the host's ids. Drivers and customers
 *   draw from one sequence, so that a sender's number alone says who it was.
 * - No foreign key on `messages`: it nearly doubles PostgreSQL's work for a message, and rows are only ever
 *   written by `curbline_append`, which has locked the booking.
 * - Bodies are `text`, not `jsonb`: what was shown live must equal the history byte for byte.
 */
const tables = `
CREATE SEQUENCE people_no_seq AS bigint;

CREATE TABLE drivers (
  no bigint PRIMARY KEY DEFAULT nextval('people_no_seq'),
  id text NOT NULL UNIQUE,
  connection_id uuid,
  profile json NOT NULL DEFAULT '{}',
  token_name text,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE customers (
  no bigint PRIMARY KEY DEFAULT nextval('people_no_seq'),
  id text NOT NULL UNIQUE,
  connection_id uuid,
  profile json NOT NULL DEFAULT '{}',
  token_name text,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE connections (
  id uuid PRIMARY KEY,
  driver_no bigint NOT NULL REFERENCES drivers (no),
  customer_no bigint NOT NULL REFERENCES customers (no),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (driver_no, customer_no)
);

CREATE TABLE bookings (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  status text NOT NULL,
  driver_no bigint REFERENCES drivers (no),
  customer_no bigint NOT NULL REFERENCES customers (no),
  connection_id uuid,
  closes_at timestamptz,
  closing_told boolean NOT NULL DEFAULT false,
  archived_at timestamptz,
  -- The head of the log. None of these columns may be indexed: every message updates them in place (HOT).
  last_seq integer NOT NULL DEFAULT 0,
  driver_sent_seq integer NOT NULL DEFAULT 0,
  customer_sent_seq integer NOT NULL DEFAULT 0,
  active_at timestamptz NOT NULL DEFAULT now(),
  -- Grows whenever seats or rights change: a send that was judged by an older epoch is judged again.
  epoch integer NOT NULL DEFAULT 1,
  metadata json NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX bookings_status_idx ON bookings (status, no);
CREATE INDEX bookings_closing_idx ON bookings (closes_at) WHERE closes_at IS NOT NULL AND NOT closing_told;

CREATE TABLE participants (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  booking_no bigint NOT NULL REFERENCES bookings (no),
  person_no bigint NOT NULL,
  scope smallint NOT NULL,
  user_id text NOT NULL,
  from_seq integer NOT NULL,
  to_seq integer,
  delivered_seq integer NOT NULL DEFAULT 0,
  read_seq integer NOT NULL DEFAULT 0,
  receipt_at timestamptz,
  joined_at timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX participants_seat_idx ON participants (booking_no, scope) WHERE to_seq IS NULL;
CREATE INDEX participants_booking_idx ON participants (booking_no);
CREATE INDEX participants_person_idx ON participants (person_no, booking_no DESC) WHERE to_seq IS NULL;

CREATE TABLE messages (
  booking_no bigint NOT NULL,
  sender_no bigint NOT NULL,
  created_at timestamptz NOT NULL,
  seq integer NOT NULL,
  kind smallint NOT NULL,
  flags smallint NOT NULL,
  id uuid NOT NULL,
  client_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (booking_no, seq),
  UNIQUE (booking_no, client_id, sender_no)
);

CREATE TABLE locations (
  booking_no bigint NOT NULL REFERENCES bookings (no),
  person_no bigint NOT NULL,
  position json NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (booking_no, person_no)
);

CREATE TABLE revocations (
  scope text NOT NULL,
  user_id text NOT NULL,
  revoked_at_s bigint NOT NULL,
  PRIMARY KEY (scope, user_id)
);

CREATE TABLE idempotency_keys (
  path text NOT NULL,
  key text NOT NULL,
  client_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (path, key)
);
`;

/**
 * Finds or creates the connection of a booking's pair and links both records, whoever comes first and however
 * many come at once. Order of locks everywhere: driver, customer, booking.
 */
const connect = `
CREATE FUNCTION curbline_connect(p_booking bigint, p_new uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_driver bigint;
  v_customer bigint;
  v_id uuid;
BEGIN
  SELECT driver_no, customer_no INTO v_driver, v_customer FROM bookings WHERE no = p_booking;
  IF v_driver IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT id INTO v_id FROM connections WHERE driver_no = v_driver AND customer_no = v_customer;
  IF v_id IS NULL THEN
    INSERT INTO connections (id, driver_no, customer_no) VALUES (p_new, v_driver, v_customer)
    ON CONFLICT (driver_no, customer_no) DO NOTHING;
    SELECT id INTO v_id FROM connections WHERE driver_no = v_driver AND customer_no = v_customer;
  END IF;
  UPDATE drivers SET connection_id = v_id WHERE no = v_driver AND connection_id IS DISTINCT FROM v_id;
  UPDATE customers SET connection_id = v_id WHERE no = v_customer AND connection_id IS DISTINCT FROM v_id;
  UPDATE bookings SET connection_id = v_id
  WHERE no = p_booking AND driver_no = v_driver AND customer_no = v_customer
    AND connection_id IS DISTINCT FROM v_id;
  RETURN v_id;
END
$$;
`;

export const ground: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const script of [tables, connect]) await sql.raw(script).execute(db);
  },
};
