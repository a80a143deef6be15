import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EmbeddedPostgresError,
  errorCode,
  errorText,
  explainProgramError,
} from './embedded-postgres-error.js';
import type { Binaries } from './binaries.js';
import type { Placement } from './placement.js';
import { SOCKET_PORT } from './probe.js';
import { isPostmasterOf, orphanedBackends, signal, worksIn } from './processes.js';
import { programOptions } from './run-program.js';
import { commandLineSettings } from './server-settings.js';
import type { ServerLog } from './server-log.js';

/** Crash recovery reads at most max_wal_size of log, a few seconds; a slow disk gets a minute. */
export const RECOVERY_LIMIT_MS = 60_000;

const FAST_STOP_LIMIT_MS = 30_000;
const ORPHAN_GRACE_MS = 300;

export interface PidFile {
  readonly pid: number;
  /** true once the server takes connections */
  readonly ready: boolean;
}

/** What postmaster.pid says; undefined when there is none. It may be stale. */
function readPidFile(clusterDir: string): PidFile | undefined {
  try {
    const lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The pid of the postmaster that runs on this cluster, if one does. */
export function runningPostmaster(clusterDir: string): PidFile | undefined {
  const file = readPidFile(clusterDir);
  return file !== undefined && isPostmasterOf(file.pid, clusterDir) ? file : undefined;
}

/**
 * Starts a postmaster on a cluster that has none and waits until it takes connections. It gets a session of its
 * own and no pipe to us: neither a Ctrl-C at our terminal nor our death may end it.
 */
export async function startPostmaster(
  placement: Placement,
  binaries: Binaries,
  log: ServerLog,
): Promise<ChildProcess> {
  await clearAfterCrash(placement);
  const { handle, offset } = log.open();
  const child = spawn(
    join(binaries.bin, 'postgres'),
    ['-D', placement.clusterDir, ...commandLineSettings(placement.socketDir, SOCKET_PORT)],
    {
      detached: true,
      stdio: ['ignore', handle, handle],
      ...programOptions(placement.runAs),
    },
  );
  closeSync(handle);
  child.unref();
  await waitUntilReady(child, placement, () => log.reasonSince(offset));
  return child;
}

/** Ends the postmaster without waiting for clients, but with a checkpoint: the next start has nothing to recover. */
export async function stopPostmaster(pid: number, clusterDir: string): Promise<void> {
  signal(pid, 'SIGINT');
  if (await isGoneWithin(FAST_STOP_LIMIT_MS, pid, clusterDir)) return;
  // Immediate stop: safe, the next start recovers from the log.
  signal(pid, 'SIGQUIT');
  if (await isGoneWithin(FAST_STOP_LIMIT_MS, pid, clusterDir)) return;
  throw new EmbeddedPostgresError(
    `PostgreSQL (process ${pid}, folder ${clusterDir}) does not end: end it by hand.`,
  );
}

/**
 * Removes what a killed postmaster left. Its lock files name a pid, and PostgreSQL gives up when that pid lives,
 * whoever it is by now; the caller holds the start lock and has seen that it is no postmaster of this cluster.
 * Backends that are still in a query would make the start fail: their work is lost already, so they are ended.
 */
async function clearAfterCrash(placement: Placement): Promise<void> {
  const deadline = Date.now() + ORPHAN_GRACE_MS;
  if (readPidFile(placement.clusterDir) !== undefined) {
    while (orphanedBackends(placement.clusterDir).length > 0 && Date.now() < deadline) await sleep(10);
    for (const pid of orphanedBackends(placement.clusterDir)) signal(pid, 'SIGKILL');
    while (orphanedBackends(placement.clusterDir).length > 0 && Date.now() < deadline + ORPHAN_GRACE_MS)
      await sleep(10);
  }
  rmSync(join(placement.clusterDir, 'postmaster.pid'), { force: true });
  rmSync(join(placement.socketDir, `.s.PGSQL.${SOCKET_PORT}`), { force: true });
  rmSync(join(placement.socketDir, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true });
}

async function waitUntilReady(
  child: ChildProcess,
  placement: Placement,
  reason: () => string,
): Promise<void> {
  let failure: string | undefined;
  child.once('error', (error) => (failure = errorText(error)));
  const deadline = Date.now() + RECOVERY_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      failure = reason() || `it ended with ${child.signalCode ?? child.exitCode}`;
    }
    if (failure !== undefined) throw explainProgramError('PostgreSQL', failure, placement.clusterDir);
    const file = readPidFile(placement.clusterDir);
    if (file?.pid === child.pid && file?.ready === true) return;
    if (Date.now() > deadline) throw stillRecovering(placement.clusterDir);
    await sleep(4);
  }
}

/** The server lives but took longer than anyone should wait. */
export function stillRecovering(clusterDir: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `PostgreSQL has been recovering ${clusterDir} for ${RECOVERY_LIMIT_MS / 1000} s and goes on: start again in a while, and see its log beside that folder.`,
  );
}

async function isGoneWithin(limitMs: number, pid: number, clusterDir: string): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (isPostmasterOf(pid, clusterDir) || worksIn(pid, clusterDir)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
