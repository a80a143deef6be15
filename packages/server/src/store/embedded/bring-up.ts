import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries } from './binaries.js';
import { clusterMajor, createCluster, removeHalfClusters, writeSettings } from './cluster.js';
import { EmbeddedPostgresError, errorText, explainFileError } from './embedded-postgres-error.js';
import type { Placement } from './placement.js';
import {
  RECOVERY_LIMIT_MS,
  runningPostmaster,
  startPostmaster,
  stillRecovering,
  stopPostmaster,
} from './postmaster.js';
import { probe, SOCKET_PORT, type Connection } from './probe.js';
import type { ServerLog } from './server-log.js';

export interface BringUp {
  placement: Placement;
  connection: Connection;
  serverLog: ServerLog;
  searchPath: string;
  log: (line: string) => void;
  /** false when the cluster existed a moment ago: then an empty one in its place would hide a loss */
  mayCreate: boolean;
}

export interface Postmaster {
  /** undefined when it runs where we cannot see its process (another container on the same folder) */
  readonly pid: number | undefined;
  /** set when it is our own child */
  readonly child?: ChildProcess;
  readonly notes: readonly string[];
}

/** Gets a server that takes connections: the one that runs, or a new one. The caller holds the start lock. */
export async function bringUp(options: BringUp): Promise<Postmaster> {
  const { placement, log } = options;
  const running = await adoptRunning(options);
  if (running !== undefined) return running;
  const major = clusterMajor(placement.clusterDir);
  if (major === undefined && !options.mayCreate) {
    throw new EmbeddedPostgresError(
      `The database folder ${placement.clusterDir} has disappeared: bring it back, or stop Curbline and start it again to begin with an empty one.`,
    );
  }
  const binaries = findBinaries({
    runAs: placement.runAs,
    copyFolder: placement.binariesDir,
    cluster: major === undefined ? undefined : { major, dir: placement.clusterDir },
    searchPath: options.searchPath,
  });
  removeHalfClusters(placement.clusterDir);
  if (major === undefined) {
    log(`making a new database in ${placement.clusterDir}`);
    await createCluster(placement, binaries, options.connection.user);
  }
  writeSettings(placement, binaries);
  const child = await start(options, binaries);
  log(`PostgreSQL ${binaries.major} started as process ${child.pid}`);
  return { pid: child.pid, child, notes: binaries.note === undefined ? [] : [binaries.note] };
}

async function start(
  options: BringUp,
  binaries: Parameters<typeof startPostmaster>[1],
): Promise<ChildProcess> {
  try {
    return await startPostmaster(options.placement, binaries, options.serverLog);
  } catch (error) {
    throw explainFileError(error, options.placement.clusterDir);
  }
}

/**
 * The server that runs on this cluster already, once it takes connections; undefined when there is none. One that
 * recovers or shuts down is waited for. One whose socket someone deleted is of no use to anyone: it is ended.
 */
async function adoptRunning({ placement, connection, log }: BringUp): Promise<Postmaster | undefined> {
  const deadline = Date.now() + RECOVERY_LIMIT_MS;
  const socket = join(placement.socketDir, `.s.PGSQL.${SOCKET_PORT}`);
  for (;;) {
    const running = runningPostmaster(placement.clusterDir);
    if (running === undefined && !existsSync(socket)) return undefined;
    const state = await probe(connection);
    if (state === 'ready') {
      log(`joined the PostgreSQL that runs as process ${running?.pid ?? 'unknown'}`);
      return { pid: running?.pid, notes: [] };
    }
    if (state === 'down' && running === undefined) return undefined;
    if (running?.ready === true && !existsSync(socket)) {
      log(`PostgreSQL process ${running.pid} has lost its socket and is replaced`);
      await stopPostmaster(running.pid, placement.clusterDir);
      return undefined;
    }
    if (Date.now() > deadline) throw stillRecovering(placement.clusterDir);
    await sleep(15);
  }
}

/** For the log: an error with its cause, in one line. */
export function errorLine(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${errorText(error.cause)})` : '';
  return errorText(error) + cause;
}
