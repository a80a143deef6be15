import { spawnSync } from 'node:child_process';

/** Runs a program to its end; throws with what it said when it fails. */
export function sh(command: string, ...args: string[]): string {
  const done = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (done.status === 0) return done.stdout;
  throw new Error(
    `${command} ${args.join(' ')}: ${done.error?.message ?? `${done.stdout}${done.stderr}`.trim()}`,
  );
}

/** Runs a program of a clean-up, which may have nothing left to do. */
export function tried(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

export const isRoot = process.geteuid?.() === 0;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** Waits until the fact is true; false when it takes too long. */
export async function until(
  fact: () => boolean | Promise<boolean>,
  limitMs: number,
  everyMs = 20,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    if (await fact()) return true;
    if (performance.now() > deadline) return false;
    await sleep(everyMs);
  }
}
