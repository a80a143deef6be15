import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Appends a batch in one statement: lock the bookings in one order (no deadlocks), then judge and number what
 * arrived, then write. A volatile function, because each statement inside takes a new snapshot: one taken before the
 * locks were granted would not see what the batch before has committed.
 *
 * A batch never holds one (booking, sender, client_id) twice: the append writer folds repeats.
 *
 * Answers one row. `seqs`, in the order of the batch: where an entry was stored; negative, where it was kept before;
 * 0, it is stale (its epoch or the closing time has passed). `at_ms`: when, for all that was stored. `kept`: the rows of the
 * negative ones, in their order. Bodies go from the arguments into the table and nowhere between: one query for all
 * of it copies each body four times.
 *
 * No statement leaves the planner a choice that could go wrong, because a plan that is cached while the tables are
 * empty stays for a while: repeats are looked for row by row by their unique key (LATERAL with LIMIT), locked bookings are
 * kept in arrays, sorted by `no`, and found there by binary search (width_bucket), and updated by their place (ctid),
 * which nobody moves while the lock is held. A plan made anew for each array, which PostgreSQL takes for cheaper, costs
 * twice the work of a single message.
 */
const append = `
CREATE FUNCTION curbline_append(
  p_booking bigint[], p_epoch integer[], p_sender bigint[], p_scope smallint[], p_client uuid[],
  p_flags smallint[], p_kind smallint[], p_id uuid[], p_body text[],
  OUT at_ms double precision, OUT seqs integer[], OUT kept json
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_now timestamptz;
  v_no bigint[];
  v_place tid[];
  v_head integer[];
  v_epoch integer[];
  v_closes_at timestamptz[];
  v_fresh boolean;
  v_kept boolean;
  v_last integer[];
  v_driver integer[];
  v_customer integer[];
BEGIN
  SELECT array_agg(l.no), array_agg(l.place), array_agg(l.last_seq), array_agg(l.epoch), array_agg(l.closes_at)
  INTO v_no, v_place, v_head, v_epoch, v_closes_at
  FROM (
    SELECT b.no, b.ctid AS place, b.last_seq, b.epoch, b.closes_at
    FROM bookings b WHERE b.no = ANY (p_booking) ORDER BY b.no FOR NO KEY UPDATE
  ) l;
  v_now := date_trunc('milliseconds', clock_timestamp());
  at_ms := extract(epoch FROM v_now) * 1000;

  SELECT array_agg(CASE WHEN a.fresh THEN v_head[a.at] + a.place ELSE -a.kept_seq END ORDER BY a.ord),
         bool_or(a.fresh), bool_or(a.kept_seq > 0)
  INTO seqs, v_fresh, v_kept
  FROM (
    SELECT j.ord, j.at, j.fresh, j.kept_seq,
           count(*) FILTER (WHERE j.fresh) OVER (PARTITION BY j.at ORDER BY j.ord)::integer AS place
    FROM (
      SELECT i.ord, i.at, coalesce(m.seq, 0) AS kept_seq,
             (m.seq IS NULL AND v_no[i.at] = i.booking_no AND (i.epoch IS NULL
               OR (v_epoch[i.at] = i.epoch AND (v_closes_at[i.at] IS NULL OR v_closes_at[i.at] > v_now)))) IS TRUE AS fresh
      FROM (
        SELECT u.*, width_bucket(u.booking_no, v_no) AS at
        FROM unnest(p_booking, p_epoch, p_sender, p_client)
               WITH ORDINALITY AS u (booking_no, epoch, sender_no, client_id, ord)
      ) i
      LEFT JOIN LATERAL (
        SELECT m.seq FROM messages m
        WHERE m.booking_no = i.booking_no AND m.client_id = i.client_id AND m.sender_no = i.sender_no LIMIT 1
      ) m ON true
    ) j
  ) a;

  IF v_fresh THEN
    INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
    SELECT i.booking_no, i.sender_no, v_now, i.seq, i.kind, i.flags, i.id, i.client_id, i.body
    FROM unnest(p_booking, p_sender, seqs, p_kind, p_flags, p_id, p_client, p_body)
           AS i (booking_no, sender_no, seq, kind, flags, id, client_id, body)
    WHERE i.seq > 0;

    -- From here on the arrays are those of the bookings that grew.
    SELECT array_agg(h.booking_no), array_agg(v_place[width_bucket(h.booking_no, v_no)]),
           array_agg(h.last_seq), array_agg(h.driver_seq), array_agg(h.customer_seq)
    INTO v_no, v_place, v_last, v_driver, v_customer
    FROM (
      SELECT i.booking_no, max(i.seq) AS last_seq,
             max(i.seq) FILTER (WHERE i.scope = 1) AS driver_seq,
             max(i.seq) FILTER (WHERE i.scope = 2) AS customer_seq
      FROM unnest(p_booking, p_scope, seqs) AS i (booking_no, scope, seq)
      WHERE i.seq > 0 GROUP BY i.booking_no ORDER BY i.booking_no
    ) h;
    UPDATE bookings b SET
      last_seq = v_last[width_bucket(b.no, v_no)],
      driver_sent_seq = coalesce(v_driver[width_bucket(b.no, v_no)], b.driver_sent_seq),
      customer_sent_seq = coalesce(v_customer[width_bucket(b.no, v_no)], b.customer_sent_seq),
      active_at = v_now
    WHERE b.ctid = ANY (v_place);
  END IF;

  IF v_kept THEN
    kept := (
      SELECT json_agg(json_build_object('seq', m.seq, 'at_ms', extract(epoch FROM m.created_at) * 1000, 'kind', m.kind,
                        'flags', m.flags, 'id', m.id, 'body', m.body) ORDER BY i.ord)
      FROM unnest(p_booking, seqs) WITH ORDINALITY AS i (booking_no, seq, ord)
      CROSS JOIN LATERAL (SELECT * FROM messages WHERE booking_no = i.booking_no AND seq = -i.seq LIMIT 1) m
      WHERE i.seq < 0
    );
  END IF;
END
$$;
`;

/**
 * Newest first within a status. By `-no`: with `no` itself in it, this index would be as good as the primary key to
 * a planner that sees a small table, and a bad one for what it had planned as the table grows.
 */
const byStatus = `
DROP INDEX bookings_status_idx;
CREATE INDEX bookings_status_idx ON bookings (status, (-no))`;

/** The first form of it: one query, a row for each entry. */
const before = `DROP FUNCTION IF EXISTS curbline_append(
  bigint[], integer[], bigint[], smallint[], uuid[], smallint[], smallint[], uuid[], text[])`;

export const appendBatch: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const script of [before, append, byStatus]) await sql.raw(script).execute(db);
  },
};
