import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { endIdleOneByOne } from './idle-connections.js';

const IDLE_MS = 200;
const MANY = 8;

/** What the pool asks of a connection, without a database at its other end. */
class Connection extends EventEmitter {
  readonly _queryable = true;

  connect(done: (error?: Error) => void): void {
    done();
  }

  end(done: () => void): void {
    done();
  }
}

test('connections that were given back together end one by one, none before its time', async () => {
  const options = { max: MANY, Client: Connection as unknown as pg.PoolConfig['Client'] };
  const pool = endIdleOneByOne(new pg.Pool(options), IDLE_MS);
  const endedAtMs: number[] = [];
  pool.on('remove', () => endedAtMs.push(performance.now()));
  const burst = await Promise.all(Array.from({ length: MANY }, () => pool.connect()));
  const givenAtMs = performance.now();
  for (const client of burst) client.release();
  expect(pool.idleCount).toBe(MANY);
  while (pool.totalCount > 0 && performance.now() - givenAtMs < 10 * IDLE_MS) await sleep(5);
  expect(endedAtMs).toHaveLength(MANY);
  // A timer may fire a fraction of a millisecond early.
  expect(Math.min(...endedAtMs) - givenAtMs).toBeGreaterThan(IDLE_MS - 2);
  // Eight in one moment would be all within a few milliseconds of each other.
  expect((endedAtMs.at(-1) ?? 0) - (endedAtMs[0] ?? 0)).toBeGreaterThan(IDLE_MS / 2);
  await pool.end();
});
