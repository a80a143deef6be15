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
 * The planner settings matter. Statistics of when the plan was cached say nothing about later sizes; and a plan made
 * anew for each array, which PostgreSQL takes for cheaper, costs twice the work of a single message.
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
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
  v_now timestamptz;
  v_fresh boolean;
  v_kept boolean;
BEGIN
  PERFORM 1 FROM bookings b WHERE b.no = ANY (p_booking) ORDER BY b.no FOR NO KEY UPDATE;
  v_now := date_trunc('milliseconds', clock_timestamp());
  at_ms := extract(epoch FROM v_now) * 1000;

  SELECT array_agg(CASE WHEN a.fresh THEN a.head + a.place ELSE -a.kept_seq END ORDER BY a.ord),
         bool_or(a.fresh), bool_or(a.kept_seq > 0)
  INTO seqs, v_fresh, v_kept
  FROM (
    SELECT j.ord, j.fresh, j.head, j.kept_seq,
           count(*) FILTER (WHERE j.fresh) OVER (PARTITION BY j.booking_no ORDER BY j.ord)::integer AS place
    FROM (
      SELECT i.ord, i.booking_no, b.last_seq AS head, coalesce(m.seq, 0) AS kept_seq,
             (m.seq IS NULL AND b.no IS NOT NULL AND (i.epoch IS NULL
               OR (b.epoch = i.epoch AND (b.closes_at IS NULL OR b.closes_at > v_now)))) AS fresh
      FROM unnest(p_booking, p_epoch, p_sender, p_client)
             WITH ORDINALITY AS i (booking_no, epoch, sender_no, client_id, ord)
      LEFT JOIN bookings b ON b.no = i.booking_no
      LEFT JOIN messages m
        ON m.booking_no = i.booking_no AND m.client_id = i.client_id AND m.sender_no = i.sender_no
    ) j
  ) a;

  IF v_fresh THEN
    INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
    SELECT i.booking_no, i.sender_no, v_now, i.seq, i.kind, i.flags, i.id, i.client_id, i.body
    FROM unnest(p_booking, p_sender, seqs, p_kind, p_flags, p_id, p_client, p_body)
           AS i (booking_no, sender_no, seq, kind, flags, id, client_id, body)
    WHERE i.seq > 0;

    UPDATE bookings b SET
      last_seq = h.last_seq,
      driver_sent_seq = coalesce(h.driver_seq, b.driver_sent_seq),
      customer_sent_seq = coalesce(h.customer_seq, b.customer_sent_seq),
      active_at = v_now
    FROM (
      SELECT i.booking_no, max(i.seq) AS last_seq,
             max(i.seq) FILTER (WHERE i.scope = 1) AS driver_seq,
             max(i.seq) FILTER (WHERE i.scope = 2) AS customer_seq
      FROM unnest(p_booking, p_scope, seqs) AS i (booking_no, scope, seq)
      WHERE i.seq > 0 GROUP BY i.booking_no
    ) h
    WHERE b.no = h.booking_no;
  END IF;

  IF v_kept THEN
    kept := (
      SELECT json_agg(json_build_object('seq', m.seq, 'at_ms', extract(epoch FROM m.created_at) * 1000, 'kind', m.kind,
                        'flags', m.flags, 'id', m.id, 'body', m.body) ORDER BY i.ord)
      FROM unnest(p_booking, seqs) WITH ORDINALITY AS i (booking_no, seq, ord)
      JOIN messages m ON m.booking_no = i.booking_no AND m.seq = -i.seq
      WHERE i.seq < 0
    );
  END IF;
END
$$;
`;

/** The first form of it: one query, a row for each entry. */
const before = `DROP FUNCTION IF EXISTS curbline_append(
  bigint[], integer[], bigint[], smallint[], uuid[], smallint[], smallint[], uuid[], text[])`;

export const appendBatch: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const script of [before, append]) await sql.raw(script).execute(db);
  },
};
