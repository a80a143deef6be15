import type { Migration, MigrationProvider } from 'kysely/migration';
import { ground } from './0001-ground.js';
import { appendBatch } from './0002-append.js';
import { upkeep } from './0003-quiet-upkeep.js';
import { vacuumPace } from './0004-slow-vacuum.js';
import { sample } from './0005-short-analyze.js';

/** Every migration by name, in order. They go forward only and are never edited after a release. */
const migrations: Record<string, Migration> = {
  '0001-ground': ground,
  '0002-append': appendBatch,
  '0003-quiet-upkeep': upkeep,
  '0004-slow-vacuum': vacuumPace,
  '0005-short-analyze': sample,
};

export const migrationProvider: MigrationProvider = {
  getMigrations: () => Promise.resolve(migrations),
};
