import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export const isRoot = process.geteuid?.() === 0;

export interface Ready {
  connection: { host: string; port: number; user: string; database: string };
  clusterDir: string;
  notes: string[];
  afterMs: number;
}

interface Line {
  log?: string;
  ready?: Ready;
  stopped?: true;
  failed?: { name: string; message: string };
}

/** Another process that uses the embedded database of a folder. */
export class Holder {
  readonly logs: string[] = [];
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #line: Line = {};
  #stderr = '';

  constructor(dataDir: string, options: { uid?: number; gid?: number; module?: string } = {}) {
    const { module, ...user } = options;
    const holder = fileURLToPath(new URL('embedded-holder.ts', import.meta.url));
    const specifiers = new URL('ts-specifiers.mjs', import.meta.url).href;
    this.#child = spawn(
      process.execPath,
      ['--import', specifiers, holder, dataDir, ...(module === undefined ? [] : [module])],
      // A group of its own, so that a Ctrl-C can be tried on it alone.
      {
        stdio: 'pipe',
        detached: true,
        env: { PATH: process.env['PATH'], TMPDIR: tmpdir() },
        cwd: '/',
        ...user,
      },
    );
    this.#child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    this.exited = new Promise((resolve) => this.#child.once('close', () => resolve()));
    createInterface({ input: this.#child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      if (line.log !== undefined) this.logs.push(line.log);
      this.#line = { ...this.#line, ...line };
    });
  }

  /** What it says once it can use the database. */
  async ready(): Promise<Ready> {
    await until('the holder is ready', () => this.#line.ready ?? this.#ended());
    if (this.#line.ready === undefined) throw new Error(this.#line.failed?.message ?? this.#stderr);
    return this.#line.ready;
  }

  async failure(): Promise<{ name: string; message: string }> {
    await this.exited;
    if (this.#line.failed === undefined)
      throw new Error(`it did not fail: ${JSON.stringify(this.#line)} ${this.#stderr}`);
    return this.#line.failed;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end('stop\n');
    await this.exited;
    if (this.#line.stopped !== true)
      throw new Error(`it did not stop: ${this.#line.failed?.message ?? this.#stderr}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async ctrlC(): Promise<void> {
    process.kill(-this.#child.pid!, 'SIGINT');
    await this.exited;
  }

  #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Folders, processes and databases of one test, all gone after it. */
export class Ground {
  readonly #folders: string[] = [];
  readonly #clusters = new Set<string>();
  readonly #holders: Holder[] = [];

  /** A new folder that every user may enter, like /srv. */
  folder(options: { mode?: number; owner?: { uid: number; gid: number }; under?: string } = {}): string {
    const folder = mkdtempSync(join(realpathSync(options.under ?? tmpdir()), 'curbline-test-'));
    chmodSync(folder, options.mode ?? 0o755);
    if (options.owner !== undefined) chownSync(folder, options.owner.uid, options.owner.gid);
    this.#folders.push(folder);
    this.#clusters.add(join(folder, 'postgres/cluster'));
    return folder;
  }

  /** A data folder with a stopped database in it, which is cheaper than a first start. */
  copyOf(template: string): string {
    const folder = this.folder();
    execFileSync('cp', ['-Rp', `${template}/.`, folder]);
    return folder;
  }

  holder(dataDir: string, options?: ConstructorParameters<typeof Holder>[1]): Holder {
    this.#clusters.add(join(dataDir, 'postgres/cluster'));
    const holder = new Holder(dataDir, options);
    this.#holders.push(holder);
    return holder;
  }

  /** A relocated cluster is not in the test's folder; name it to have it cleaned up. */
  alsoClean(clusterDir: string): void {
    this.#clusters.add(clusterDir);
    if (!clusterDir.endsWith('/postgres/cluster')) this.#folders.push(dirname(clusterDir));
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.kill()));
    for (const cluster of this.#clusters) {
      const record = join(dirname(cluster), 'socket-folder');
      if (existsSync(record)) this.#folders.push(readFileSync(record, 'utf8').trim());
      for (const pid of serverProcesses(cluster)) process.kill(pid, 'SIGKILL');
      await until('its server processes are gone', () => serverProcesses(cluster).length === 0);
    }
    for (const folder of this.#folders)
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
  }
}

/** The pid that postmaster.pid names; it fails when there is none. */
export function postmasterPid(clusterDir: string): number {
  return Number(readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Every living process that works in this cluster, by its working folder. */
export function serverProcesses(clusterDir: string): number[] {
  if (process.platform !== 'linux')
    return existsSync(join(clusterDir, 'postmaster.pid')) ? [postmasterPid(clusterDir)] : [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '') === clusterDir;
      } catch {
        // It ended while we looked, or is none of ours.
        return false;
      }
    })
    .map(Number);
}

/** One statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  connection: Ready['connection'],
  sql: string,
): Promise<Row[]> {
  const client = new pg.Client({ ...connection, ssl: false, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits for a fact. */
export async function until(what: string, fact: () => unknown, limitMs = 20_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await fact())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
