import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file that is either the old or the new one after a crash, and the new one once this returns. */
export function writeDurably(path: string, text: string): void {
  const half = `${path}.tmp`;
  const handle = openSync(half, 'w', 0o600);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameDurably(half, path);
}

/** Gives a finished file or folder its name, and makes that name survive a power loss. */
export function renameDurably(half: string, whole: string): void {
  renameSync(half, whole);
  const folder = openSync(dirname(whole), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
