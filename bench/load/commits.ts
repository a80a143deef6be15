import pg from 'pg';
import { LatencyRecorder } from './latency.ts';
import type { CommitsResult, CommitsSpec } from './spec.ts';

/**
 * The price of durability alone: one connection, one prepared INSERT that commits by itself, at a fixed rate, timed
 * from when each was due.
 */
export async function runCommits(spec: CommitsSpec): Promise<CommitsResult> {
  const client = new pg.Client({ connectionString: spec.databaseUrl });
  await client.connect();
  await client.query(
    'create table if not exists plain_commit (id bigint generated always as identity primary key, booking text not null, body jsonb not null, at timestamptz not null default now())',
  );
  const body = JSON.stringify({ text: 'x'.repeat(100) });
  const latency = new LatencyRecorder();
  const everyMs = 1000 / spec.rate;
  const start = performance.now() + 10;
  const from = start + spec.warmupMs;
  const to = from + spec.measureMs;
  for (let due = start; due < to; due += everyMs) {
    while (performance.now() < due) await new Promise(setImmediate);
    await client.query({
      name: 'plain',
      text: 'insert into plain_commit (booking, body) values ($1, $2)',
      values: ['booking-1', body],
    });
    if (due >= from) latency.record(performance.now() - due);
  }
  await client.query('drop table plain_commit');
  await client.end();
  return { latency: latency.summary() };
}
