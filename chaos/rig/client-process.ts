import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClientSpec, Order, ProcessSpec, Report } from '../clients/spec.ts';
import type { Netns } from './netns.ts';
import { CLIENTS, PLANT } from './paths.ts';

export interface ClientProcessOptions {
  name: string;
  clients: ClientSpec[];
  folder: string;
  seed: number;
  netns: Netns | undefined;
  bug: string | undefined;
}

/** Some clients in a process of their own, which can be killed and started again on the same outboxes. */
export class ClientProcess {
  readonly name: string;
  readonly #options: ClientProcessOptions;
  readonly #waiting = new Map<Report['report'], () => void>();
  #child: ChildProcess | undefined;
  #life = 0;
  #killed = false;

  constructor(options: ClientProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  async start(): Promise<void> {
    const { name, clients, folder, seed, netns, bug } = this.#options;
    const spec: ProcessSpec = { clients, folder, seed, life: (this.#life += 1) };
    const file = join(folder, `${name}.spec.json`);
    writeFileSync(file, JSON.stringify(spec));
    const command = [process.execPath, ...(bug === undefined ? [] : ['--import', PLANT]), CLIENTS, file];
    const [program = '', ...args] =
      netns === undefined ? command : ['ip', 'netns', 'exec', netns.name, ...command];
    const env = { PATH: process.env['PATH'], ...(bug !== undefined && { CHAOS_BUG: bug }) };
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child = child;
    this.#killed = false;
    child.stdin.on('error', () => undefined);
    child.stderr.pipe(createWriteStream(join(folder, `${name}.log`), { flags: 'a' }));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { report } = JSON.parse(line) as Report;
      this.#waiting.get(report)?.();
    });
    const running = this.#report('running', 60_000);
    await running;
  }

  async kill(): Promise<void> {
    this.#killed = true;
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  finish(): Promise<void> {
    return this.#order({ order: 'finish' }, 'drained', 75_000);
  }

  end(heads: Record<string, number>, withinMs: number): Promise<void> {
    return this.#order({ order: 'end', heads, withinMs }, 'ended', withinMs + 10_000);
  }

  async #order(order: Order, then: Report['report'], withinMs: number): Promise<void> {
    if (this.pid === undefined)
      throw new Error(`the clients ${this.name} have ended by themselves: see their log`);
    const done = this.#report(then, withinMs);
    this.#child?.stdin?.write(`${JSON.stringify(order)}\n`);
    await done;
  }

  #report(report: Report['report'], withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const gone = (code: number | null): void => {
        if (!this.#killed) settle(new Error(`the clients ${this.name} ended with ${code}: see their log`));
      };
      const timer = setTimeout(
        () => settle(new Error(`the clients ${this.name} were not ${report} in time`)),
        withinMs,
      );
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        this.#waiting.delete(report);
        child?.off('exit', gone);
        if (error) reject(error);
        else resolve();
      };
      this.#waiting.set(report, () => settle());
      child?.once('exit', gone);
    });
  }
}
