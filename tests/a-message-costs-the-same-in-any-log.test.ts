import { expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

const PAIRS = 8;
const EACH = 100;

/** What PostgreSQL has read of a table so far, by index and by going through it. */
const READ = `SELECT s.relname, n_tup_ins AS inserted, seq_tup_read AS by_scan,
    (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = s.relid) AS by_index
  FROM pg_stat_user_tables s WHERE s.relname IN ('messages', 'bookings')`;

interface Read {
  relname: string;
  inserted: string;
  by_scan: string;
  by_index: string;
}

// Measured in rows that PostgreSQL reads, not in time: a plan made while the tables were empty once read the whole log.
test('a message reads a handful of rows, however the planner saw the tables when it made its plans', async () => {
  const server = await TestServer.start();
  const database = await embeddedClient(server.dataDir);
  try {
    await database.query('ANALYZE');
    const pairs = await Promise.all(Array.from({ length: PAIRS }, () => pair(server)));
    const read = async () => {
      const { rows } = await database.query<Read>(READ);
      return new Map(rows.map((row) => [row.relname, row]));
    };
    const total = PAIRS * EACH * 2;
    await Promise.all(
      pairs.map(async ({ booking_id, driver, customer }) => {
        // Alone and in batches: both ways into the log.
        for (let n = 0; n < EACH; n += 1) await driver.send(booking_id, `alone ${n}`);
        await Promise.all(Array.from({ length: EACH }, (_, n) => customer.send(booking_id, `together ${n}`)));
      }),
    );
    // Backends report what they did within a second or so.
    await until(
      'the statistics are there',
      async () => Number((await read()).get('messages')?.inserted) >= total,
    );
    const found = await read();
    for (const [table, { by_scan, by_index }] of found)
      expect((Number(by_scan) + Number(by_index)) / total, `rows of ${table} a message`).toBeLessThan(6);
    expect(found.size).toBe(2);
    // While a sample is taken, no old version of a booking's head is cleared away; one of 3,000 rows took 7 s of a busy server.
    const told: string[] = [];
    database.on('notice', ({ message }) => told.push(message ?? ''));
    await database.query('ANALYZE VERBOSE messages');
    expect(told.join('\n')).toContain('; 300 rows in sample');
    for (const { driver, customer } of pairs) {
      driver.leave();
      customer.leave();
    }
  } finally {
    await database.end();
    await server.stop();
  }
});
