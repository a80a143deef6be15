import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Binaries } from './binaries.js';
import { renameDurably, writeDurably } from './durable-file.js';
import { errorCode, explainFileError, explainProgramError } from './embedded-postgres-error.js';
import type { Placement } from './placement.js';
import { giveTo, makeFolder } from './run-as.js';
import { runProgram } from './run-program.js';
import { initdbArguments, serverSettings } from './server-settings.js';

const SETTINGS_FILE = 'curbline.conf';

/** The cluster's major version, or undefined when there is no cluster yet. */
export function clusterMajor(clusterDir: string): number | undefined {
  if (!existsSync(clusterDir)) return undefined;
  try {
    return Number.parseInt(readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    throw explainFileError(error, clusterDir);
  }
}

/**
 * Makes the cluster under another name and renames it when it is whole and on disk: what a killed initdb leaves
 * never looks like a database. The caller holds the start lock.
 */
export async function createCluster(placement: Placement, binaries: Binaries, user: string): Promise<void> {
  const { clusterDir, runAs } = placement;
  const base = dirname(clusterDir);
  const initdb = join(binaries.bin, 'initdb');
  const half = join(base, `${basename(clusterDir)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeFolder(half, 0o700, runAs);
    await run(initdb, initdbArguments(half, user, binaries.major), placement);
    appendFileSync(
      join(half, 'postgresql.conf'),
      `\n# Curbline's settings. Settings of your own: ALTER SYSTEM SET ...\ninclude_if_exists = '${SETTINGS_FILE}'\n`,
    );
    await run(initdb, ['-D', half, '--sync-only'], placement);
    renameDurably(half, clusterDir);
  } catch (error) {
    removeHalfClusters(clusterDir);
    throw explainFileError(error, base);
  }
}

/**
 * Removes what killed starts left. An initdb that outlived its starter may write there for a moment yet: then the
 * rest is left to a later start, for nothing depends on it. The caller holds the start lock.
 */
export function removeHalfClusters(clusterDir: string): void {
  const base = dirname(clusterDir);
  for (const name of readdirSync(base)) {
    if (!/^cluster\.[0-9a-f]+\.tmp$/.test(name)) continue;
    try {
      rmSync(join(base, name), { recursive: true, force: true });
    } catch (error) {
      if (errorCode(error) !== 'ENOTEMPTY') throw explainFileError(error, base);
    }
  }
}

/** Brings the settings of this version into the cluster, before each start. */
export function writeSettings(placement: Placement, binaries: Binaries): void {
  const file = join(placement.clusterDir, SETTINGS_FILE);
  const text = serverSettings(binaries.major);
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
    writeDurably(file, text);
    giveTo(file, placement.runAs);
  } catch (error) {
    throw explainFileError(error, placement.clusterDir);
  }
}

async function run(program: string, args: readonly string[], placement: Placement): Promise<void> {
  const { ok, output } = await runProgram(program, args, placement.runAs);
  if (!ok) throw explainProgramError('initdb', output, placement.clusterDir);
}
