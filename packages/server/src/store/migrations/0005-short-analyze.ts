import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * While autovacuum takes its sample of the log, no old version of a booking's head can be cleared away: each message then walks over
 * those of all before it. At the pace of `0004-slow-vacuum`, which counts for samples too, one of 3,000 pages took 7 s of a busy server, in which
 * a message cost PostgreSQL half as much again. 300 rows do for a log that is read by its keys only, each time that it has doubled.
 */
const shortAnalyze = `
ALTER TABLE messages
  ALTER COLUMN booking_no SET STATISTICS 1,
  ALTER COLUMN seq SET STATISTICS 1,
  SET (autovacuum_analyze_scale_factor = 1)`;

export const sample: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(shortAnalyze).execute(db);
  },
};
