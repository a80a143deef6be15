import { RunningCluster } from './running-cluster.js';

/** Where and how to run the embedded database. */
export interface EmbeddedPostgresOptions {
  /** The folder of this installation's data; made when missing. */
  dataDir: string;
  /** Told what happens to the server, a line each. */
  log?: (line: string) => void;
  /** PATH is where a system PostgreSQL is looked for on platforms without a package; nothing else is read. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** A PostgreSQL server of our own, running on a unix socket. */
export interface EmbeddedPostgres {
  /** For `pg`: `host` is the unix socket's folder; set `ssl: false`, or PGSSLMODE in the environment decides. */
  readonly connection: { host: string; port: number; user: string; database: string };
  /** Where the cluster lives; outside `dataDir` when PostgreSQL's user cannot reach that. */
  readonly clusterDir: string;
  /** What a person should be told, e.g. why the cluster was relocated; one sentence each. */
  readonly notes: readonly string[];
  /**
   * Resolves when the server takes connections, after restarting it if it is gone. The server is watched and
   * restarted anyway; this is for callers that just lost a connection and want to know when to try again.
   *
   * @throws EmbeddedPostgresError when it cannot be brought up now, or was stopped.
   */
  ensureRunning(): Promise<void>;
  /** Stops the server unless another process still uses it; close your connections first. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on the data folder, or joins the server that already runs there. Any number of processes may
 * do so at once; a server that outlived a killed process is adopted, a killed one recovers what it acknowledged.
 *
 * @example
 * const postgres = await startEmbeddedPostgres({ dataDir: '/srv/curbline' });
 * const pool = new pg.Pool({ ...postgres.connection, ssl: false });
 *
 * @throws EmbeddedPostgresError a sentence that says what a person can do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return RunningCluster.start({
    dataDir: options.dataDir,
    log: options.log ?? (() => undefined),
    searchPath: options.env?.['PATH'] ?? '',
  });
}

export { EmbeddedPostgresError } from './embedded-postgres-error.js';
