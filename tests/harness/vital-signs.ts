import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { TestServer, type ServerEnv } from './server.js';

const PRELOAD = fileURLToPath(new URL('vital-signs.mjs', import.meta.url));

/** What a server says of itself, since the last reset. */
export interface VitalSigns {
  /** Longest turn of the event loop, in CPU time of its thread: what the server's own code did to it. */
  heldMs: number;
  /** Longest delay of the event loop by the clock: includes what other processes took from the machine. */
  delayMs: number;
  rss: number;
  peakRss: number;
}

/** A server that can be asked how it feels. Its limits are the ones users get. */
export class WatchedServer {
  private first: VitalSigns | undefined;

  private constructor(
    readonly server: TestServer,
    private readonly folder: string,
    private readonly line: Socket,
  ) {}

  static async start(env: ServerEnv = {}): Promise<WatchedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'curbline-vital-'));
    const path = join(folder, 'vital.sock');
    const server = await TestServer.start({
      CURBLINE_MESSAGES_PER_S: '5',
      CURBLINE_MESSAGES_BURST: '20',
      NODE_OPTIONS: `--expose-gc --import ${PRELOAD}`,
      VITAL_SIGNS_SOCKET: path,
      ...env,
    });
    const line = connect(path);
    await once(line, 'connect');
    return new WatchedServer(server, folder, line);
  }

  get isFresh(): boolean {
    return this.first === undefined;
  }

  /** Collects garbage and forgets the maxima; also says how it was at the first time, before any attack. */
  async baseline(): Promise<VitalSigns & { first: VitalSigns }> {
    const now = await this.ask('reset');
    this.first ??= now;
    return { ...now, first: this.first };
  }

  read(): Promise<VitalSigns> {
    return this.ask('read');
  }

  async stop(): Promise<void> {
    this.line.destroy();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask(what: 'read' | 'reset'): Promise<VitalSigns> {
    this.line.write(what);
    const [answer] = (await once(this.line, 'data')) as [Buffer];
    return JSON.parse(answer.toString()) as VitalSigns;
  }
}
