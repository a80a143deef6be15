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
 * Appends a batch in one statement: lock the bookings in one order (no deadlocks), then judge and number what
 * arrived. A volatile function, because each statement inside takes a new snapshot: one taken before the locks
 * were granted would not see what the batch before has committed.
 *
 * A batch never holds one (booking, sender, client_id) twice: the append writer folds repeats.
 *
 * outcome: 0 stored, 1 kept before (the kept row is returned), 2 stale (epoch or closing time has passed).
 * The planner settings matter: the tables' statistics when the plan is cached say nothing about later sizes.
 */
const append = `
CREATE FUNCTION curbline_append(
  p_booking bigint[], p_epoch integer[], p_sender bigint[], p_scope smallint[], p_client uuid[],
  p_flags smallint[], p_kind smallint[], p_id uuid[], p_body text[]
) RETURNS TABLE (
  outcome smallint, seq integer, at timestamptz, kind smallint, flags smallint, id uuid, body text
)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz;
BEGIN
  PERFORM 1 FROM bookings b WHERE b.no = ANY (p_booking) ORDER BY b.no FOR NO KEY UPDATE;
  v_now := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH asked AS (
    SELECT i.*,
           b.last_seq,
           m.seq AS kept_seq, m.created_at AS kept_at, m.kind AS kept_kind, m.flags AS kept_flags,
           m.id AS kept_id, m.body AS kept_body,
           (m.seq IS NULL AND b.no IS NOT NULL AND (i.epoch IS NULL
             OR (b.epoch = i.epoch AND (b.closes_at IS NULL OR b.closes_at > v_now)))) AS fresh
    FROM unnest(p_booking, p_epoch, p_sender, p_scope, p_client, p_flags, p_kind, p_id, p_body)
           WITH ORDINALITY AS i (booking_no, epoch, sender_no, scope, client_id, flags, kind, id, body, ord)
    LEFT JOIN bookings b ON b.no = i.booking_no
    LEFT JOIN messages m
      ON m.booking_no = i.booking_no AND m.client_id = i.client_id AND m.sender_no = i.sender_no
  ), judged AS MATERIALIZED (
    SELECT a.*,
           (a.last_seq + count(*) FILTER (WHERE a.fresh)
              OVER (PARTITION BY a.booking_no ORDER BY a.ord))::integer AS new_seq
    FROM asked a
  ), inserted AS (
    INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
    SELECT j.booking_no, j.sender_no, v_now, j.new_seq, j.kind, j.flags, j.id, j.client_id, j.body
    FROM judged j WHERE j.fresh
  ), heads AS (
    UPDATE bookings b SET
      last_seq = h.last_seq,
      driver_sent_seq = coalesce(h.driver_seq, b.driver_sent_seq),
      customer_sent_seq = coalesce(h.customer_seq, b.customer_sent_seq),
      active_at = v_now
    FROM (
      SELECT j.booking_no, max(j.new_seq) AS last_seq,
             max(j.new_seq) FILTER (WHERE j.scope = 1) AS driver_seq,
             max(j.new_seq) FILTER (WHERE j.scope = 2) AS customer_seq
      FROM judged j WHERE j.fresh GROUP BY j.booking_no
    ) h
    WHERE b.no = h.booking_no
  )
  SELECT (CASE WHEN j.fresh THEN 0 WHEN j.kept_seq IS NOT NULL THEN 1 ELSE 2 END)::smallint,
         CASE WHEN j.fresh THEN j.new_seq ELSE j.kept_seq END,
         CASE WHEN j.fresh THEN v_now ELSE j.kept_at END,
         j.kept_kind, j.kept_flags, j.kept_id, j.kept_body
  FROM judged j ORDER BY j.ord;
END
$$;
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
    for (const script of [tables, append, connect]) await sql.raw(script).execute(db);
  },
};
