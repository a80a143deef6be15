import pg from 'pg';
import { readFileSync, readdirSync } from 'node:fs';
import { Postgres } from './rig/postgres.ts';
import { watchCpu } from './load/proc.ts';
const { Database } = await import('../packages/server/dist/store/database.js');
const postgres = await Postgres.start();
postgres.pin(0);
const url = await postgres.fresh('ab');
const log = { debug() {}, log() {}, warn() {}, error() {} };
const db = await Database.open({ url: postgres.url('ab') }, undefined, log as never);
let c = new pg.Client({ connectionString: postgres.url('ab') });
await c.connect();
await c.query(`insert into drivers (id) select 'd'||i from generate_series(1,200) i; insert into customers (id) select 'c'||i from generate_series(1,200) i;
 insert into bookings (id,status,driver_no,customer_no) select 'b'||i,'accepted',i,200+i from generate_series(1,200) i; analyze;
 create table plain_commit (id bigint generated always as identity primary key, booking text not null, body jsonb not null, at timestamptz not null default now())`);
await c.query(`CREATE FUNCTION append_one(p_booking bigint, p_epoch integer, p_sender bigint, p_scope smallint, p_client uuid, p_flags smallint, p_kind smallint, p_id uuid, p_body text, OUT at_ms double precision, OUT seq integer)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE v_now timestamptz; v_head integer; v_epoch integer; v_closes timestamptz;
BEGIN
  SELECT last_seq, epoch, closes_at INTO v_head, v_epoch, v_closes FROM bookings WHERE no = p_booking FOR NO KEY UPDATE;
  v_now := date_trunc('milliseconds', clock_timestamp()); at_ms := extract(epoch FROM v_now)*1000;
  SELECT -m.seq INTO seq FROM messages m WHERE m.booking_no = p_booking AND m.client_id = p_client AND m.sender_no = p_sender;
  IF seq IS NOT NULL THEN RETURN; END IF;
  IF p_epoch IS NOT NULL AND (v_epoch <> p_epoch OR v_closes <= v_now) THEN seq := 0; RETURN; END IF;
  seq := v_head + 1;
  INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body) VALUES (p_booking, p_sender, v_now, seq, p_kind, p_flags, p_id, p_client, p_body);
  UPDATE bookings SET last_seq = seq, driver_sent_seq = CASE WHEN p_scope = 1 THEN seq ELSE driver_sent_seq END, customer_sent_seq = CASE WHEN p_scope = 2 THEN seq ELSE customer_sent_seq END, active_at = v_now WHERE no = p_booking;
END $$`);
await c.query(readFileSync('/tmp/d.sql', 'utf8'));
const body = JSON.stringify({ text: 'x'.repeat(100) });
const uuid = () => crypto.randomUUID();
const A = () => {
  const b = 1 + Math.floor(Math.random() * 200);
  return c.query({
    name: 'A',
    text: 'SELECT at_ms, seqs::text, kept FROM curbline_append($1,$2,$3,$4,$5,$6,$7,$8,$9)',
    values: [`{${b}}`, '{1}', `{${b}}`, '{1}', `{${uuid()}}`, '{0}', '{1}', `{${uuid()}}`, [body]],
  });
};
const D = () => {
  const b = 1 + Math.floor(Math.random() * 200);
  return c.query({
    name: 'D',
    text: 'SELECT at_ms, seqs::text, kept FROM append_d($1,$2,$3,$4,$5,$6,$7,$8,$9)',
    values: [`{${b}}`, '{1}', `{${b}}`, '{1}', `{${uuid()}}`, '{0}', '{1}', `{${uuid()}}`, [body]],
  });
};
const many = (fn: string, n: number) => () => {
  const bs = Array.from({ length: n }, () => 1 + Math.floor(Math.random() * 200));
  const j = (x: unknown[]) => `{${x.join()}}`;
  return c.query({
    name: fn + n,
    text: `SELECT at_ms, seqs::text, kept FROM ${fn}($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
    values: [
      j(bs),
      j(bs.map(() => 1)),
      j(bs),
      j(bs.map(() => 1)),
      j(bs.map(uuid)),
      j(bs.map(() => 0)),
      j(bs.map(() => 1)),
      j(bs.map(uuid)),
      bs.map(() => body),
    ],
  });
};
const B = () => {
  const b = 1 + Math.floor(Math.random() * 200);
  return c.query({
    name: 'B',
    text: 'SELECT at_ms, seq FROM append_one($1,$2,$3,$4,$5,$6,$7,$8,$9)',
    values: [b, 1, b, 1, uuid(), 0, 1, uuid(), body],
  });
};
const C = () => {
  const b = 1 + Math.floor(Math.random() * 200);
  return c.query({
    name: 'C',
    text: `WITH head AS (
  UPDATE bookings SET last_seq = last_seq + 1, driver_sent_seq = CASE WHEN $4::smallint = 1 THEN last_seq + 1 ELSE driver_sent_seq END, customer_sent_seq = CASE WHEN $4 = 2 THEN last_seq + 1 ELSE customer_sent_seq END, active_at = date_trunc('milliseconds', clock_timestamp())
  WHERE no = $1 AND ($2::int IS NULL OR (epoch = $2 AND (closes_at IS NULL OR closes_at > clock_timestamp()))) AND NOT EXISTS (SELECT 1 FROM messages WHERE booking_no = $1 AND client_id = $5 AND sender_no = $3) RETURNING last_seq, active_at)
 INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body) SELECT $1, $3, active_at, last_seq, $7, $6, $8, $5, $9 FROM head RETURNING seq, extract(epoch FROM created_at)*1000 AS at_ms`,
    values: [b, 1, b, 1, uuid(), 0, 1, uuid(), body],
  });
};
const plain = () =>
  c.query({
    name: 'plain',
    text: 'insert into plain_commit (booking, body) values ($1, $2)',
    values: ['booking-1', body],
  });
const empty = () => c.query({ name: 'empty', text: 'select 1' });
const run = async (name: string, f: () => Promise<unknown>, ms: number, show = true) => {
  const lat: number[] = [];
  const every = 2.5;
  const start = performance.now();
  const cpu = watchCpu({ server: process.pid, database: postgres.pid });
  for (let due = start; due < start + ms; due += every) {
    while (performance.now() < due) await new Promise(setImmediate);
    const t = performance.now();
    await f();
    lat.push(performance.now() - t);
  }
  const used = cpu();
  lat.sort((a, b) => a - b);
  if (show)
    console.log(
      name.padEnd(8),
      'p50',
      (lat[lat.length >> 1]! * 1000).toFixed(0),
      'µs  p99',
      (lat[Math.floor(lat.length * 0.99)]! * 1000).toFixed(0),
      ' db cpu',
      ((used.database * 1e6) / lat.length).toFixed(0),
      'µs',
    );
};
const all = { empty, plain, D, B, C };
for (const [n, f] of Object.entries(all)) await run(n, f, 1000, false);
for (let r = 0; r < 1; r++) for (const [n, f] of Object.entries(all)) await run(n, f, 2000);
await c.query('analyze');
await c.end();
c = new pg.Client({ connectionString: postgres.url('ab') });
await c.connect();
console.log('--- analyzed');
for (let r = 0; r < 2; r++) for (const [n, f] of Object.entries({ plain, A, D, B, C })) await run(n, f, 3000);
for (let r = 0; r < 3; r++)
  for (const fn of ['curbline_append', 'append_d']) {
    const f = many(fn, 150);
    await f();
    await f();
    const cpu = watchCpu({ server: process.pid, database: postgres.pid });
    const t = performance.now();
    for (let k = 0; k < 300; k++) await f();
    const u = cpu();
    console.log(
      'batch 150',
      fn,
      ((u.database * 1e6) / 45000).toFixed(1),
      'µs db cpu/message',
      (((performance.now() - t) * 1000) / 45000).toFixed(1),
      'µs wall',
    );
  }
await c.end();
await db.close();
await postgres.stop();
