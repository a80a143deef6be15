import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringUp, errorLine, type Postmaster } from './bring-up.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { tryLock, waitForLock, type FolderLock } from './folder-lock.js';
import { makeHome, place, rememberRelocation, type Home, type Placement } from './placement.js';
import { runningPostmaster, stopPostmaster } from './postmaster.js';
import { countClients, ensureDatabase, probe, SOCKET_PORT, type Connection } from './probe.js';
import { isPostmasterOf } from './processes.js';
import { ServerLog } from './server-log.js';

interface Settings {
  dataDir: string;
  log: (line: string) => void;
  searchPath: string;
}

const NAME = 'curbline';
const WATCH_MS = 500;
const LOG_CHECK_EVERY = 10;
/** Longer than the longest start of another process: initdb, or a recovery. */
const START_LOCK_LIMIT_MS = 120_000;
/** Backends of connections that were just closed take seconds to go on a machine that is busy; a person's psql stays. */
const LEAVE_LIMIT_MS = 4_000;
const FIRST_BACKOFF_MS = 100;
/** Short enough that a disk with room again, or restored rights, heal within three seconds. */
const LONGEST_BACKOFF_MS = 2_000;

/**
 * This process' hold on the cluster. Two kernel locks in our folder keep processes out of each other's way:
 * `start.lock`, exclusive, around everything that decides whether a postmaster runs, and `users.lock`, shared, for
 * as long as a process uses it, so that the last one to leave knows that it is the last.
 */
export class RunningCluster {
  readonly connection: Connection;
  readonly clusterDir: string;
  readonly notes: readonly string[];
  readonly #settings: Settings;
  readonly #home: Home;
  readonly #placement: Placement;
  readonly #serverLog: ServerLog;
  #postmaster: Postmaster;
  #user: FolderLock | undefined;
  #attempt: Promise<void> | undefined;
  #healing = false;
  #stopping: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;

  static async start(settings: Settings): Promise<RunningCluster> {
    const home = makeHome(settings.dataDir);
    const startLock = await takeStartLock(home);
    let user: FolderLock | undefined;
    try {
      const placement = place(home);
      const connection = { host: placement.socketDir, port: SOCKET_PORT, user: NAME, database: NAME };
      const serverLog = new ServerLog(join(home.dir, 'server.log'), home.runAs);
      // Nobody excludes it while we hold the start lock: only who leaves does, under the same lock.
      user = await waitForLock(usersLockOf(home), 'shared', home.runAs, START_LOCK_LIMIT_MS);
      const postmaster = await bringUp({ ...settings, placement, connection, serverLog, mayCreate: true });
      rememberRelocation(home, placement);
      await ensureDatabase(connection);
      return new RunningCluster(settings, home, placement, connection, serverLog, postmaster, user);
    } catch (error) {
      user?.release();
      throw error;
    } finally {
      startLock.release();
    }
  }

  private constructor(
    settings: Settings,
    home: Home,
    placement: Placement,
    connection: Connection,
    serverLog: ServerLog,
    postmaster: Postmaster,
    user: FolderLock | undefined,
  ) {
    this.#settings = settings;
    this.#home = home;
    this.#placement = placement;
    this.#serverLog = serverLog;
    this.#postmaster = postmaster;
    this.#user = user;
    this.connection = connection;
    this.clusterDir = placement.clusterDir;
    this.notes = [...placement.notes, ...postmaster.notes];
    this.#watchPostmaster();
  }

  ensureRunning(): Promise<void> {
    if (this.#stopping !== undefined) return Promise.reject(stopped());
    this.#attempt ??= this.#bringUpAgain().finally(() => (this.#attempt = undefined));
    return this.#attempt;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#leave();
    return this.#stopping;
  }

  async #bringUpAgain(): Promise<void> {
    if (!this.#isGone() && (await probe(this.connection)) === 'ready') return;
    const startLock = await takeStartLock(this.#home);
    try {
      if (this.#stopping !== undefined) throw stopped();
      const postmaster = await bringUp({
        ...this.#settings,
        placement: this.#placement,
        connection: this.connection,
        serverLog: this.#serverLog,
        mayCreate: false,
      });
      if (postmaster.pid !== this.#postmaster.pid) {
        this.#postmaster = postmaster;
        this.#watchPostmaster();
      }
    } finally {
      startLock.release();
    }
  }

  #watchPostmaster(): void {
    clearInterval(this.#watch);
    // Our own child reports its end at once; one that we joined has to be looked at.
    this.#postmaster.child?.once('exit', () => void this.#heal());
    let looks = 0;
    this.#watch = setInterval(() => {
      if (this.#isGone()) void this.#heal();
      if (++looks % LOG_CHECK_EVERY === 0) this.#boundLog();
    }, WATCH_MS).unref();
  }

  /** A restart that fails is tried again, less and less often, until it works or we are stopped. */
  async #heal(): Promise<void> {
    if (this.#healing) return;
    this.#healing = true;
    let lastFailure = '';
    let backoffMs = FIRST_BACKOFF_MS;
    while (this.#stopping === undefined && this.#isGone()) {
      try {
        if (lastFailure === '')
          this.#settings.log(`PostgreSQL process ${this.#postmaster.pid} is gone: restarting it`);
        await this.ensureRunning();
      } catch (error) {
        const failure = errorLine(error);
        if (this.#stopping === undefined && failure !== lastFailure)
          this.#settings.log(`cannot restart PostgreSQL: ${failure}`);
        lastFailure = failure;
        await sleep(backoffMs, undefined, { ref: false });
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
    }
    this.#healing = false;
  }

  #isGone(): boolean {
    const { pid, child } = this.#postmaster;
    if (child !== undefined) return child.exitCode !== null || child.signalCode !== null;
    try {
      if (pid !== undefined) return !isPostmasterOf(pid, this.clusterDir);
      return !existsSync(join(this.connection.host, `.s.PGSQL.${SOCKET_PORT}`));
    } catch (error) {
      // No file handles left, say: a look that failed tells nothing, and must not end the process from a timer.
      this.#settings.log(`cannot look after PostgreSQL: ${errorLine(error)}`);
      return false;
    }
  }

  #boundLog(): void {
    try {
      this.#serverLog.bound();
    } catch (error) {
      this.#settings.log(`PostgreSQL's log cannot be cut: ${errorLine(error)}`);
    }
  }

  async #leave(): Promise<void> {
    clearInterval(this.#watch);
    // Its error went to whoever asked for it; here it only has to be over.
    await this.#attempt?.catch(() => undefined);
    const startLock = await takeStartLock(this.#home);
    try {
      this.#user?.release();
      const last = await tryLock(usersLockOf(this.#home), 'exclusive', this.#home.runAs);
      if (last === undefined) return this.#settings.log('PostgreSQL goes on: another process uses it');
      last.release();
      await this.#stopIfUnused();
    } finally {
      startLock.release();
    }
  }

  async #stopIfUnused(): Promise<void> {
    const running = runningPostmaster(this.clusterDir);
    if (running === undefined) return;
    const clients = await this.#clientsThatStay();
    if (clients > 0)
      return this.#settings.log(`PostgreSQL goes on: ${clients} connections of others are open`);
    await stopPostmaster(running.pid, this.clusterDir);
    this.#settings.log('PostgreSQL stopped');
  }

  /** Connections that were just closed take a moment to go. */
  async #clientsThatStay(): Promise<number> {
    if ((await probe(this.connection)) !== 'ready') return 0;
    const deadline = Date.now() + LEAVE_LIMIT_MS;
    for (;;) {
      const clients = await countClients(this.connection);
      if (clients === 0 || Date.now() > deadline) return clients;
      await sleep(20);
    }
  }
}

function usersLockOf(home: Home): string {
  return join(home.dir, 'users.lock');
}

async function takeStartLock(home: Home): Promise<FolderLock> {
  const file = join(home.dir, 'start.lock');
  const lock = await waitForLock(file, 'exclusive', home.runAs, START_LOCK_LIMIT_MS);
  if (lock !== undefined) return lock;
  throw new EmbeddedPostgresError(
    `Another process has been starting the database in ${home.dir} for ${START_LOCK_LIMIT_MS / 1000} s: find it with fuser ${file} and end it.`,
  );
}

function stopped(): EmbeddedPostgresError {
  return new EmbeddedPostgresError('The embedded database was stopped.');
}
