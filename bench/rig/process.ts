import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { treePids } from '../load/proc.ts';
import type { LoadSpec } from '../load/spec.ts';
import { BENCH, OUT } from './paths.ts';

/** A core of this machine, or `null` to leave the choice to the kernel. */
export type Core = number | null;

/** Two cores are what the comparison needs: what is measured on one, the load on the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const STOP_WITHIN_MS = 15_000;
const pinned = spawnSync('taskset', ['--version']).status === 0;

function pinCommand(core: Core, command: string, args: string[]): [string, string[]] {
  return core === null || !pinned ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];
}

/** Moves a running process and its descendants to a core. */
export function pinTree(pid: number, core: number): void {
  if (!pinned) return;
  for (const each of treePids(pid)) spawnSync('taskset', ['-acp', String(core), String(each)]);
}

export interface Started {
  child: ChildProcess;
  pid: number;
  /** The beginning of what it wrote to standard error. */
  errors: () => string;
  stop: () => Promise<void>;
}

const ERRORS_KEPT = 8_192;
const running = new Set<Started>();

/** Starts a program that belongs to the bench: its output goes to a log in `.out`, it ends with the bench. */
export function start(
  name: string,
  core: Core,
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Started {
  const [file, argv] = pinCommand(core, command, args);
  const child = spawn(file, argv, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    cwd: BENCH,
  });
  const log = createWriteStream(join(OUT, `${name}.log`), { flags: 'a' });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (errors.length < ERRORS_KEPT) errors += chunk.toString();
  });
  child.stderr?.pipe(log, { end: false });
  child.stdout?.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      log.end();
      running.delete(started);
      resolve();
    });
  });
  child.once('error', (error) => {
    throw error;
  });
  const started: Started = {
    child,
    pid: child.pid ?? -1,
    errors: () => errors,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
  running.add(started);
  return started;
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((each) => each.stop()));
}

/** The first line of output that the pattern matches. */
export function waitForLine(started: Started, pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const { stdout } = started.child;
    if (stdout === null) return reject(new Error('the process has no output'));
    const lines = createInterface({ input: stdout });
    const timer = setTimeout(
      () => reject(new Error(`no line like ${pattern} within ${withinMs} ms`)),
      withinMs,
    );
    lines.on('line', (line) => {
      const match = pattern.exec(line);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    });
    started.child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with code ${code} before it was ready: ${started.errors().slice(0, 2_000)}`));
    });
  });
}

let specs = 0;

/** Starts the load generator on its core with one job. */
export function startLoad(spec: LoadSpec): Started {
  const file = join(OUT, `load-${process.pid}-${(specs += 1) % 4}.json`);
  writeFileSync(file, JSON.stringify(spec));
  return start('load', LOAD_CORE, process.execPath, [
    '--max-semi-space-size=64',
    // A full collection of the generator holds up what is due and what is read: it never comes to one.
    '--initial-old-space-size=1024',
    join(BENCH, 'load/main.ts'),
    file,
  ]);
}

/** Runs one job of the load generator to its end. */
export async function runLoad<T>(spec: LoadSpec, withinMs = 180_000): Promise<T> {
  const load = startLoad(spec);
  try {
    const [line] = await waitForLine(load, /^\{"result":.*$/, withinMs);
    return (JSON.parse(line) as { result: T }).result;
  } finally {
    await load.stop();
  }
}
