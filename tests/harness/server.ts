import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyTemplate } from './data-folder.js';

/** As `npm start` and the command `curbline` run it. */
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string };
};
export const FLAGS: readonly string[] = scripts.start.match(/--\S+/g) ?? [];
const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const READY_LIMIT_MS = 60_000;

/** Settings of a server under test; anything not named here has the server's own default. */
export type ServerEnv = Record<string, string>;

/** A real server in a process of its own, on a free port, with a data folder of its own. */
export class TestServer {
  private child: ChildProcess | undefined;
  private port = '0';
  /** Everything the process printed. */
  output = '';

  private constructor(
    readonly dataDir: string,
    private readonly env: ServerEnv,
  ) {}

  /** Starts a server on a folder without bookings. Rate limits are off unless `env` sets them. */
  static async start(env: ServerEnv = {}): Promise<TestServer> {
    const dataDir = await copyTemplate();
    if (dataDir === undefined) return TestServer.startEmpty(env);
    const server = new TestServer(dataDir, env);
    await server.up();
    return server;
  }

  /** Starts a server on an empty folder, as the first start on a machine does. */
  static async startEmpty(env: ServerEnv = {}): Promise<TestServer> {
    const dataDir = await mkdtemp(join(tmpdir(), 'curbline-test-'));
    // As root the database runs as another user, who must be able to pass through.
    await chmod(dataDir, 0o755);
    const server = new TestServer(dataDir, env);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('the server does not run');
    return this.child.pid;
  }

  /** Starts the process (again), on the same folder and the same port. */
  async up(): Promise<void> {
    const child = spawn(process.execPath, [...FLAGS, MAIN], {
      env: {
        PATH: process.env['PATH'],
        CURBLINE_DATA_DIR: this.dataDir,
        CURBLINE_MESSAGES_PER_S: '0',
        ...this.env,
        CURBLINE_PORT: this.port,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time:\n${this.output}`)), READY_LIMIT_MS);
      const read = (chunk: Buffer) => {
        this.output += chunk.toString();
        const port = /ready at http:\/\/\S+?:(\d+)/.exec(this.output)?.[1];
        if (port === undefined || !/ready at/.test(chunk.toString() + this.output)) return;
        this.port = port;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${code}:\n${this.output}`));
      });
    });
    ready.catch(() => undefined);
    this.output = '';
    await ready;
  }

  /** Ends the process without a chance to finish anything. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }

  /** Ends the process and its database, and removes the folder. */
  async stop(): Promise<void> {
    // A killed server leaves its database running, for the next one to adopt: only a clean end stops it too.
    if (this.child?.exitCode !== null || this.child.signalCode !== null)
      await this.up().catch(() => undefined);
    await this.kill('SIGTERM');
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The generated keys of the folder. */
  async keys(): Promise<{ api_key: string; token_secret: string }> {
    return JSON.parse(await readFile(join(this.dataDir, 'dev-keys.json'), 'utf8')) as {
      api_key: string;
      token_secret: string;
    };
  }

  /** A REST call with the API key; the body is sent and read as JSON. */
  async rest<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Headers; body: T }> {
    const key = this.env['CURBLINE_API_KEYS']?.split(',')[0] ?? (await this.keys()).api_key;
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
    };
  }

  /** Creates or replaces a booking of these two; returns its id. */
  async booking(
    id: string = `b-${crypto.randomUUID()}`,
    change: { driver?: string | null; customer?: string; status?: string } = {},
  ): Promise<string> {
    const { driver = `${id}-driver`, customer = `${id}-customer`, status = 'accepted' } = change;
    const { status: code, body } = await this.rest('PUT', `/v1/bookings/${encodeURIComponent(id)}`, {
      driver: driver === null ? null : { id: driver, name: `Name of ${driver}` },
      customer: { id: customer, name: `Name of ${customer}` },
      status,
    });
    if (code !== 200 && code !== 201) throw new Error(`booking was not written: ${JSON.stringify(body)}`);
    return id;
  }

  /** A token for a person, from the server itself. */
  async token(
    scope: 'driver' | 'customer' | 'support',
    user_id: string,
    ttl_s = 600,
    name?: string,
  ): Promise<string> {
    const { body } = await this.rest<{ token: string }>('POST', '/v1/tokens', {
      scope,
      user_id,
      ttl_s,
      ...(name && { name }),
    });
    return body.token;
  }
}
