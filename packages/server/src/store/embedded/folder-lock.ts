import { closeSync, fchownSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError, errorCode, errorText, explainFileError } from './embedded-postgres-error.js';
import type { RunAs } from './run-as.js';

/**
 * A lock on a file that the kernel gives back when its holder dies, however it dies.
 *
 * Node has no flock(2). SQLite, which is part of Node, takes real fcntl(2) locks on its database file, so an
 * open transaction on an empty database is such a lock: nothing is left behind by `kill -9`, there is no pid to
 * be reused and no stale file to take over, and it also counts between containers that share the folder.
 */
export interface FolderLock {
  release(): void;
}

type LockMode = 'exclusive' | 'shared';

const SQLITE_BUSY = 5;

/** Takes the lock now, or returns undefined when someone holds it in a way that excludes `mode`. */
export async function tryLock(file: string, mode: LockMode, owner: RunAs): Promise<FolderLock | undefined> {
  const { DatabaseSync } = await import('node:sqlite').catch((error: unknown) => {
    throw new EmbeddedPostgresError('The embedded database needs Node 22.13 or newer (node:sqlite).', {
      cause: error,
    });
  });
  createOnce(file, owner);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    if (mode === 'exclusive') database.exec('BEGIN EXCLUSIVE');
    else {
      database.exec('BEGIN');
      // The read is what takes the shared lock; it is kept until the transaction ends.
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw new EmbeddedPostgresError(
      `The file ${file} cannot be locked (${errorText(error)}): it must be writable for the user Curbline runs as, on a filesystem with POSIX locks.`,
      { cause: error },
    );
  }
  let held = true;
  return {
    release() {
      if (held) database.close();
      held = false;
    },
  };
}

/** Waits for the lock; undefined when it was not to be had within `timeoutMs`. */
export async function waitForLock(
  file: string,
  mode: LockMode,
  owner: RunAs,
  timeoutMs: number,
): Promise<FolderLock | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const lock = await tryLock(file, mode, owner);
    if (lock !== undefined || Date.now() >= deadline) return lock;
    await sleep(10 + Math.random() * 20);
  }
}

/** Only ever creates: POSIX drops all locks of a process on a file when the process closes any handle of it. */
function createOnce(file: string, owner: RunAs): void {
  try {
    const handle = openSync(file, 'wx', 0o600);
    if (owner.switched) fchownSync(handle, owner.uid, owner.gid);
    closeSync(handle);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw explainFileError(error, file);
  }
}

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
