import type { AppendEntry } from './append-entry.js';
import { PG_ARRAY, PG_TYPE, type BindMessage } from './bind-message.js';
import type { Statement } from './prepared-queries.js';

/**
 * Whether one was kept before. Only where it may have been is it looked for: of a batch under full load this is a third of what PostgreSQL
 * does. Where it is not looked for, the unique key refuses it.
 */
const isNewOne = `
    AND NOT EXISTS (SELECT FROM messages WHERE booking_no = $1 AND client_id = $5 AND sender_no = $3)`;

/**
 * One message that comes alone. It answers nothing when the message is stale or, where that is looked for, was kept before. It fails by
 * the unique key when it was kept and not looked for, or when another node keeps it in this moment. In each case `JUDGE` says what it is. The
 * clock is asked once for whether the booking is open and once for when it was: in between it may close, and the second answer stays before that.
 * Half a millisecond less and rounded is cut to milliseconds, without a calendar as `date_trunc` has it.
 */
const storeOne = (name: string, isNew: string): Statement => ({
  name,
  types: [
    PG_TYPE.int8,
    PG_TYPE.int4,
    PG_TYPE.int8,
    PG_TYPE.int2,
    PG_TYPE.uuid,
    PG_TYPE.int2,
    PG_TYPE.int2,
    PG_TYPE.uuid,
    PG_TYPE.text,
  ],
  text: `
WITH head AS (
  UPDATE bookings SET
    last_seq = last_seq + 1,
    driver_sent_seq = CASE WHEN $4::smallint = 1 THEN last_seq + 1 ELSE driver_sent_seq END,
    customer_sent_seq = CASE WHEN $4 = 2 THEN last_seq + 1 ELSE customer_sent_seq END,
    active_at = (least(clock_timestamp(), CASE WHEN $2::integer IS NOT NULL THEN closes_at - interval '1 millisecond' END)
      - interval '500 microseconds')::timestamptz(3)
  WHERE no = $1
    AND ($2 IS NULL OR (epoch = $2 AND (closes_at IS NULL OR closes_at > clock_timestamp())))${isNew}
  RETURNING last_seq, active_at
)
INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
SELECT $1, $3, active_at, last_seq, $7, $6, $8, $5, $9 FROM head
RETURNING seq, (date_part('epoch', created_at) * 1000)::bigint AS at_ms`,
});

export const STORE_ONE = storeOne('curbline-store-one', '');
/** The same where it may have been kept before. */
export const STORE_ONE_IF_NEW = storeOne('curbline-store-one-if-new', isNewOne);

export function bindOne(message: BindMessage, entry: AppendEntry): void {
  message.int8(entry.bookingNo);
  message.int4(entry.epoch);
  message.int8(entry.senderNo);
  message.int2(entry.scope);
  message.uuid(entry.clientId);
  message.int2(entry.flags);
  message.int2(entry.kind);
  message.uuid(entry.id);
  message.text(entry.body);
}

/** The entries of one booking within a batch that is sorted by bookings. */
export interface Growth {
  readonly bookingNo: number;
  readonly epoch: number | null;
  /** How many entries stand before its first one. */
  readonly after: number;
  count: number;
  /** Place of its last entry by the driver, and by the customer, from 1; 0, none. */
  driver: number;
  customer: number;
}

const DRIVER = 1;
const CUSTOMER = 2;

/**
 * The bookings of a batch, which must be sorted by them. Undefined where entries of one booking were judged by different epochs: no
 * single question answers for both.
 */
export function growthOf(sorted: readonly AppendEntry[]): Growth[] | undefined {
  const all: Growth[] = [];
  let last: Growth | undefined;
  let after = 0;
  for (const { bookingNo, epoch, scope } of sorted) {
    if (last?.bookingNo !== bookingNo) {
      last = { bookingNo, epoch, after, count: 0, driver: 0, customer: 0 };
      all.push(last);
    } else if (last.epoch !== epoch) return undefined;
    last.count += 1;
    if (scope === DRIVER) last.driver = last.count;
    else if (scope === CUSTOMER) last.customer = last.count;
    after += 1;
  }
  return all;
}

/** As `isNewOne`, for each entry of a batch. */
const areAllNew = `
    AND (
      SELECT bool_or((
        SELECT true FROM messages m WHERE m.booking_no = $7[i] AND m.client_id = $9[i] AND m.sender_no = $8[i] LIMIT 1
      ))
      FROM (SELECT generate_series(1, cardinality($7)) AS i) entry
    ) IS NULL`;

/**
 * A batch of which nothing was kept before, as `STORE_ONE` for one: bookings grow in the order of their numbers, so that two
 * nodes never wait for each other, and each row of the log takes what it needs from the arguments by its place in them. It answers one row:
 * the bookings that grew, their new heads, and when. Those that are missing are stale, and where one entry was kept
 * before, nothing is written at all: `JUDGE` says which. Ten messages take two thirds of what they cost there, because PostgreSQL prepares
 * one plan to run instead of five.
 *
 * No join, and no choice of a plan that could go wrong: bookings come by their key (the connection allows no other scan), repeats row by
 * row by their unique key (a subquery with LIMIT), and `width_bucket` is a binary search in the sorted numbers.
 */
const storeAll = (name: string, isNew: string): Statement => ({
  name,
  types: [
    PG_ARRAY.int8,
    PG_ARRAY.int4,
    PG_ARRAY.int4,
    PG_ARRAY.int4,
    PG_ARRAY.int4,
    PG_ARRAY.int4,
    PG_ARRAY.int8,
    PG_ARRAY.int8,
    PG_ARRAY.uuid,
    PG_ARRAY.int2,
    PG_ARRAY.int2,
    PG_ARRAY.uuid,
    PG_ARRAY.text,
  ],
  text: `
WITH head AS (
  UPDATE bookings SET
    last_seq = last_seq + $4[width_bucket(no, $1)],
    driver_sent_seq = CASE $5[width_bucket(no, $1)] WHEN 0 THEN driver_sent_seq ELSE last_seq + $5[width_bucket(no, $1)] END,
    customer_sent_seq = CASE $6[width_bucket(no, $1)] WHEN 0 THEN customer_sent_seq ELSE last_seq + $6[width_bucket(no, $1)] END,
    active_at = (least(clock_timestamp(), CASE WHEN $2[width_bucket(no, $1)] IS NOT NULL THEN closes_at - interval '1 millisecond' END)
      - interval '500 microseconds')::timestamptz(3)
  WHERE no = ANY ($1)
    AND ($2[width_bucket(no, $1)] IS NULL
      OR (epoch = $2[width_bucket(no, $1)] AND (closes_at IS NULL OR closes_at > clock_timestamp())))${isNew}
  RETURNING no, last_seq, active_at, width_bucket(no, $1) AS at
), log AS (
  INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
  SELECT no, $8[i], active_at, before + i, $11[i], $10[i], $12[i], $9[i], $13[i]
  FROM (
    SELECT no, active_at, last_seq - $3[at] - $4[at] AS before, generate_series($3[at] + 1, $3[at] + $4[at]) AS i FROM head
  ) entry
)
SELECT array_agg(no)::text, array_agg(last_seq)::text, array_agg((date_part('epoch', active_at) * 1000)::bigint)::text
FROM head`,
});

export const STORE_ALL = storeAll('curbline-store-all', '');
/** The same where some may have been kept before. */
export const STORE_ALL_IF_NEW = storeAll('curbline-store-all-if-new', areAllNew);

export function bindAll(
  message: BindMessage,
  growth: readonly Growth[],
  sorted: readonly AppendEntry[],
): void {
  message.int8s(growth, ({ bookingNo }) => bookingNo);
  message.int4s(growth, ({ epoch }) => epoch);
  message.int4s(growth, ({ after }) => after);
  message.int4s(growth, ({ count }) => count);
  message.int4s(growth, ({ driver }) => driver);
  message.int4s(growth, ({ customer }) => customer);
  message.int8s(sorted, ({ bookingNo }) => bookingNo);
  message.int8s(sorted, ({ senderNo }) => senderNo);
  message.uuids(sorted, ({ clientId }) => clientId);
  message.int2s(sorted, ({ flags }) => flags);
  message.int2s(sorted, ({ kind }) => kind);
  message.uuids(sorted, ({ id }) => id);
  message.texts(sorted, ({ body }) => body);
}

/** A batch of which anything may be said: `curbline_append` looks at each entry, and tells what was kept before. */
export const JUDGE: Statement = {
  name: 'curbline-append',
  text: 'SELECT at_ms, seqs::text, kept FROM curbline_append($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  types: [
    PG_ARRAY.int8,
    PG_ARRAY.int4,
    PG_ARRAY.int8,
    PG_ARRAY.int2,
    PG_ARRAY.uuid,
    PG_ARRAY.int2,
    PG_ARRAY.int2,
    PG_ARRAY.uuid,
    PG_ARRAY.text,
  ],
};

export function bindJudge(message: BindMessage, batch: readonly AppendEntry[]): void {
  message.int8s(batch, ({ bookingNo }) => bookingNo);
  message.int4s(batch, ({ epoch }) => epoch);
  message.int8s(batch, ({ senderNo }) => senderNo);
  message.int2s(batch, ({ scope }) => scope);
  message.uuids(batch, ({ clientId }) => clientId);
  message.int2s(batch, ({ flags }) => flags);
  message.int2s(batch, ({ kind }) => kind);
  message.uuids(batch, ({ id }) => id);
  message.texts(batch, ({ body }) => body);
}

/** Which of these bookings' rows nobody holds. */
export const UNLOCKED: Statement = {
  name: 'curbline-append-unlocked',
  text: 'SELECT no FROM bookings WHERE no = ANY ($1::bigint[]) ORDER BY no FOR NO KEY UPDATE SKIP LOCKED',
  types: [PG_ARRAY.int8],
};

/** PostgreSQL spells an array of numbers `{3,-1,0}`. */
export const numbersOf = (array: string): number[] => array.slice(1, -1).split(',').map(Number);
