import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * When the log's statistics are taken anew: when it has grown to five times what it was, not by each tenth. They serve estimates of its two
 * keys, which PostgreSQL scales by the size of the table by itself, and no statement has a choice of plans that depends on them. A young log
 * grows by a tenth every few seconds of a busy hour, and each sample takes the core from those who wait for their messages.
 */
const rareStatistics = `
ALTER TABLE messages SET (autovacuum_analyze_scale_factor = 4)`;

export const statistics: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(rareStatistics).execute(db);
  },
};
