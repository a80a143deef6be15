import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LeftOut {
  what: string;
  why: string;
}

/**
 * Says that something is not tested on this machine, and why; the run prints it at its end.
 *
 * @example
 * const url = await postgresUrl();
 * if (url === undefined) leaveOut('the store on a PostgreSQL server', 'none answers at 127.0.0.1:5432');
 * describe.skipIf(url === undefined)('on a PostgreSQL server', () => { ... });
 */
export function leaveOut(what: string, why: string): void {
  const path = leftOutFile();
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify({ what, why } satisfies LeftOut)}\n`);
}

/** What this run left out so far, each once. */
export function readLeftOut(): LeftOut[] {
  if (!existsSync(leftOutFile())) return [];
  const lines = readFileSync(leftOutFile(), 'utf8').split('\n').filter(Boolean);
  // Written by leaveOut above, in this run.
  return [...new Set(lines)].map((line) => JSON.parse(line) as LeftOut);
}

export function forgetLeftOut(): void {
  rmSync(leftOutFile(), { force: true });
}

function leftOutFile(): string {
  const path = process.env['TESTS_LEFT_OUT_FILE'];
  if (path === undefined)
    throw new Error('TESTS_LEFT_OUT_FILE is set by vitest.config.ts; run the tests through it');
  return path;
}
