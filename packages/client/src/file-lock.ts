import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { CurblineError } from './curbline-error.js';

/** A lock without its holder is being written; older than this, its writer died over it. */
const WRITING_MS = 2_000;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The outcome of a file operation; undefined when the file is not there, or is there already. */
const unless = async <T>(code: 'ENOENT' | 'EEXIST', work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) !== code) throw error;
    return undefined;
  }
};

/**
 * Takes a file for this process alone: a lock beside it holds the process id. One that a dead process left is taken over.
 * Returns the release.
 */
export const lockFile = async (path: string): Promise<() => void> => {
  const lock = `${path}.lock`;
  const mine = `${process.pid} ${randomUUID()}`;
  while (!(await claim(lock, mine))) {
    const holder = await unless('ENOENT', readFile(lock, 'utf8'));
    if (holder === undefined) continue;
    if (await lives(holder, lock)) throw inUse(path, holder, lock);
    await setAside(lock, holder);
  }
  const release = (): void => {
    held.delete(release);
    // Removed by hand it may be another process's by now.
    if (existsSync(lock) && readFileSync(lock, 'utf8') === mine) rmSync(lock, { force: true });
  };
  // A program that ends without closing leaves no number behind that is given to somebody else.
  if (!listening) process.on('exit', () => held.forEach((each) => each()));
  listening = true;
  held.add(release);
  return release;
};

/** What this process has locked. */
const held = new Set<() => void>();
let listening = false;

const inUse = (path: string, holder: string, lock: string): CurblineError => {
  const who = `process ${Number.parseInt(holder, 10) || 'unknown'}`;
  return new CurblineError(
    'storage',
    `${path} is in use by ${who}: give each process an outbox of its own. If it runs no more, remove ${lock}.`,
  );
};

const claim = async (lock: string, holder: string): Promise<boolean> => {
  const claimed = writeFile(lock, holder, { flag: 'wx', mode: 0o600 }).then(() => true);
  return (await unless('EEXIST', claimed)) ?? false;
};

const lives = async (holder: string, lock: string): Promise<boolean> => {
  const made = await unless('ENOENT', stat(lock));
  if (!made) return false;
  const ageMs = Date.now() - made.mtimeMs;
  const pid = Number.parseInt(holder, 10);
  if (!(pid > 0)) return ageMs < WRITING_MS;
  // Numbers are given again: after a boot to anybody, in a container to the same program at each start.
  const sinceS = pid === process.pid ? process.uptime() : uptime();
  if (ageMs > sinceS * 1_000) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
};

/** Takes a dead process's lock away; of those who try at once, one succeeds. */
const setAside = async (lock: string, holder: string): Promise<void> => {
  const aside = `${lock}.${randomUUID()}`;
  const moved = rename(lock, aside).then(() => true);
  if (!(await unless('ENOENT', moved))) return;
  const taken = await readFile(aside, 'utf8');
  // Somebody has taken over between the look and the move: give it back.
  if (taken !== holder) await claim(lock, taken);
  await rm(aside, { force: true });
};
