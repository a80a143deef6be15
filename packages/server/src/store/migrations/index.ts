import type { Migration, MigrationProvider } from 'kysely/migration';
import { ground } from './0001-ground.js';
import { appendBatch } from './0002-append.js';

/** Every migration by name, in order. They go forward only and are never edited after a release. */
const migrations: Record<string, Migration> = {
  '0001-ground': ground,
  '0002-append': appendBatch,
};

export const migrationProvider: MigrationProvider = {
  getMigrations: () => Promise.resolve(migrations),
};
