import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What autovacuum does for the log, and when. The log is only ever read by its two keys, so statistics of other columns serve no
 * plan, and a sample of 30,000 rows with all texts, each time that the log has grown by a tenth, takes a busy core from those
 * who wait for their messages. Nor does a query read the log by an index alone: pages that are known to be visible to all save
 * nothing until they are frozen, which a pass after each million messages does soon enough.
 */
const quietUpkeep = `
ALTER TABLE messages
  ALTER COLUMN booking_no SET STATISTICS 10,
  ALTER COLUMN seq SET STATISTICS 10,
  ALTER COLUMN sender_no SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0,
  ALTER COLUMN kind SET STATISTICS 0,
  ALTER COLUMN flags SET STATISTICS 0,
  ALTER COLUMN id SET STATISTICS 0,
  ALTER COLUMN client_id SET STATISTICS 0,
  ALTER COLUMN body SET STATISTICS 0,
  SET (autovacuum_analyze_threshold = 10000, autovacuum_vacuum_insert_threshold = 1000000)`;

export const upkeep: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(quietUpkeep).execute(db);
  },
};
