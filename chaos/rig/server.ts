import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { PLANT, SERVER } from './paths.ts';
import { postmasterOf, processesIn, signal } from './processes.ts';
import { sleep, until } from './shell.ts';
import { API_KEY, TOKEN_SECRET } from './tokens.ts';

const START_LIMIT_MS = 90_000;
const TABLE_TRIES = 120;
const PAGE = 200;

export interface ServerOptions {
  /** A planted bug, by name. */
  bug?: string | undefined;
  env?: Record<string, string>;
}

/** A row of the table of messages, as PostgreSQL itself has it. */
export interface TableRow {
  seq: number;
  client_id: string;
  body: string;
}

/** The stand-alone server with its embedded database, on one folder and one port over all of its lives. */
export class Server {
  readonly dataDir: string;
  readonly clusterDir: string;
  port = 0;
  /** How a process ended that nobody had told to end: never, if the server keeps its promise. */
  endedByItself: string | undefined;
  /** Only false while somebody means it to be down. */
  #wanted = false;
  #child: ChildProcess | undefined;
  readonly #options: ServerOptions;
  readonly #logFile: string;

  constructor(dataDir: string, logFile: string, options: ServerOptions = {}) {
    this.dataDir = dataDir;
    this.clusterDir = join(dataDir, 'postgres/cluster');
    this.#logFile = logFile;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null
      ? undefined
      : child.pid;
  }

  /** Throws when the process has ended and nobody had told it to. */
  assertAlive(): void {
    if (this.endedByItself !== undefined) throw new Error(this.endedByItself);
  }

  /** Starts the process; resolves when it says that it is ready. */
  async start(): Promise<void> {
    const { bug, env } = this.#options;
    const child = spawn(process.execPath, [...(bug === undefined ? [] : ['--import', PLANT]), SERVER], {
      env: {
        PATH: process.env['PATH'],
        CURBLINE_DATA_DIR: this.dataDir,
        CURBLINE_PORT: `${this.port}`,
        CURBLINE_API_KEYS: API_KEY,
        CURBLINE_TOKEN_SECRET: TOKEN_SECRET,
        CURBLINE_MESSAGES_PER_S: '0',
        CURBLINE_PING_INTERVAL_MS: '2000',
        CURBLINE_PING_TIMEOUT_MS: '4000',
        CURBLINE_LOG_LEVEL: 'warn',
        ...(bug !== undefined && { CHAOS_BUG: bug }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#wanted = true;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time: ${said}`)), START_LIMIT_MS);
      const read = (chunk: Buffer): void => {
        appendFileSync(this.#logFile, chunk);
        if (said.length > 100_000) return;
        said += chunk.toString();
        const port = /ready at http:\/\/\S+?:(\d+)/.exec(said)?.[1];
        if (port === undefined) return;
        this.port = Number(port);
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code, by) => {
        clearTimeout(timer);
        appendFileSync(this.#logFile, `--- the process ended: ${by ?? code}\n`);
        if (this.#wanted) this.endedByItself ??= `the server ended by itself with ${by ?? code}: see its log`;
        reject(new Error(`the server ended with ${by ?? code}: ${said.slice(-2_000)}`));
      });
    });
  }

  /** Ends the process at once. */
  async kill(by: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (this.pid === undefined || child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(by);
    await gone;
  }

  /** Ends the process and every process of its database. */
  async destroy(): Promise<void> {
    if (this.pid !== undefined) {
      signal(this.pid, 'SIGCONT');
      await this.kill();
    }
    await until(() => {
      for (const pid of processesIn(this.clusterDir)) signal(pid, 'SIGKILL');
      return processesIn(this.clusterDir).length === 0;
    }, 10_000);
  }

  get postmaster(): number | undefined {
    return postmasterOf(this.clusterDir);
  }

  /** Every process of the database. */
  get backends(): number[] {
    return processesIn(this.clusterDir);
  }

  async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(3_000) }).then(
      (response) => response.ok,
      () => false,
    );
  }

  async makeBooking(id: string): Promise<void> {
    await this.rest('PUT', `/v1/bookings/${id}`, {
      driver: { id: `${id}-driver` },
      customer: { id: `${id}-customer` },
      status: 'accepted',
    });
  }

  /** The whole log of a booking, read as the host reads it; pages are repeated when the server is busy. */
  async history(id: string): Promise<unknown[]> {
    const log: { seq: number }[] = [];
    for (let failures = 0; ;) {
      try {
        const after = log.at(-1)?.seq ?? 0;
        const path = `/v1/bookings/${id}/messages?after_seq=${after}&limit=${PAGE}`;
        const page = await this.rest<{ data?: { seq: number }[]; messages?: { seq: number }[] }>('GET', path);
        const found = page.data ?? page.messages ?? [];
        log.push(...found);
        if (found.length === 0) return log;
      } catch (error) {
        if ((failures += 1) > 20) throw error;
        await sleep(250);
      }
    }
  }

  /** Asks the database itself, past the server. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const [, , , port, host] = readFileSync(join(this.clusterDir, 'postmaster.pid'), 'utf8').split('\n');
    const client = new pg.Client({
      host: host ?? '',
      port: Number(port),
      user: 'curbline',
      database: 'curbline',
      ssl: false,
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /**
   * The rows of a booking in the table after a seq, for a comparison with the history. Backends outlive a killed postmaster
   * for a moment and go on acking: it may not be there again yet.
   */
  async table(id: string, after = 0): Promise<TableRow[]> {
    for (let failures = 0; ;) {
      try {
        return await this.query<TableRow>(
          `SELECT m.seq, m.client_id, m.body FROM messages m JOIN bookings b ON b.no = m.booking_no
           WHERE b.id = $1 AND m.seq > $2 ORDER BY m.seq`,
          [id, after],
        );
      } catch (error) {
        if ((failures += 1) > TABLE_TRIES) throw error;
        await sleep(250);
      }
    }
  }
}
