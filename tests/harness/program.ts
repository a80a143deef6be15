import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LINE_LIMIT_MS = 30_000;

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A program that a user would start in a terminal: what it prints is kept, line by line. */
export class Program {
  output = '';
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly title: string,
    private readonly child: ChildProcess,
  ) {
    const read = (chunk: Buffer) => {
      this.output += chunk.toString();
      for (const check of this.waiting) check();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => {
      for (const check of this.waiting) check();
    });
  }

  /** Starts a program in the root of the checkout, with the pinned Node first in the path. */
  static start(command: string, args: string[], env: Record<string, string> = {}): Program {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Program([command, ...args].join(' '), child);
  }

  get lines(): string[] {
    return this.output.split('\n').filter((line) => line !== '');
  }

  /** The rest of the first line that starts with this word and a space (or is the word), once it is printed. */
  says(word: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const line = this.lines.find((candidate) => candidate === word || candidate.startsWith(`${word} `));
        // Half a line may have arrived: only one that is ended counts.
        if (line !== undefined && this.output.includes(`${line}\n`)) {
          clearTimeout(timer);
          this.waiting.delete(check);
          resolve(line.slice(word.length + 1));
        } else if (this.ended) {
          fail('ended');
        }
      };
      const fail = (why: string) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        reject(new Error(`${this.title} ${why} before it said ${JSON.stringify(word)}:\n${this.output}`));
      };
      const timer = setTimeout(() => fail('waited'), LINE_LIMIT_MS);
      this.waiting.add(check);
      check();
    });
  }

  /** Like `says`, for a line that carries JSON after its word. */
  async tells<T = Record<string, unknown>>(word: string): Promise<T> {
    return JSON.parse(await this.says(word)) as T;
  }

  /** Resolves with the exit code. */
  async exit(): Promise<number | null> {
    if (!this.ended) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.ended) this.child.kill(signal);
    return this.exit();
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
