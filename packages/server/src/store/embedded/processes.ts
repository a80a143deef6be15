import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { errorCode } from './embedded-postgres-error.js';

/**
 * Whether process `pid` is the postmaster of `clusterDir`. A pid alone proves nothing: after a crash or a reboot
 * it may belong to someone else, or to a zombie that nobody collects.
 */
export function isPostmasterOf(pid: number, clusterDir: string): boolean {
  if (!exists(pid)) return false;
  if (process.platform !== 'linux') return psLine(pid).includes(clusterDir);
  if (isZombie(pid)) return false;
  const words = readProc(pid, 'cmdline').split('\0');
  return basename(words[0] ?? '') === 'postgres' && words.includes(clusterDir);
}

/**
 * Whether process `pid` still has its working folder in `clusterDir`, where /proc can tell. A process that ends loses
 * its command line first and holds the folder for up to some milliseconds more.
 */
export function worksIn(pid: number, clusterDir: string): boolean {
  return process.platform === 'linux' && workingFolder(pid) === clusterDir;
}

/**
 * Server processes that outlived their postmaster: each ends when it next looks up from its query, and until
 * then no new postmaster may start. Only asked for where /proc exists; elsewhere PostgreSQL's refusal is waited out.
 */
export function orphanedBackends(clusterDir: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, clusterDir) && readProc(pid, 'comm').trim() === 'postgres');
}

/** Sends a signal; a process that is gone already is not an error. */
export function signal(pid: number, name: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function isZombie(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === '' || state === 'Z' || state === 'X';
}

function workingFolder(pid: number): string | undefined {
  return whileItLives(() => readlinkSync(`/proc/${pid}/cwd`));
}

function readProc(pid: number, file: 'cmdline' | 'comm' | 'stat'): string {
  return whileItLives(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';
}

/** A process may end, or be another user's, between two looks at it. */
function whileItLives<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function psLine(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    // ps exits with 1 when the process ended meanwhile.
    if (!exists(pid)) return '';
    throw error;
  }
}
