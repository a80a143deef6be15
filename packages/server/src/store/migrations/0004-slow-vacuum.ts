import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * After each million messages autovacuum marks the pages of the log that are new. With checksums each of them goes to the write-ahead log as a whole: at
 * the pace that PostgreSQL allows it, some 40 MB a second, commits wait for the disk and people for their messages, for seconds. A tenth of
 * that pace has two minutes for what took twelve seconds, and nobody waits for when it is done.
 */
const slowVacuum = 'ALTER TABLE messages SET (autovacuum_vacuum_cost_delay = 20)';

export const vacuumPace: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(slowVacuum).execute(db);
  },
};
