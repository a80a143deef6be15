import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, cpSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { explainFileError } from './embedded-postgres-error.js';
import { makeLibraryLinks, type PlatformPackage } from './platform-package.js';
import { makeFolder } from './run-as.js';

/**
 * Copies a platform package's programs to `folder`, under their version, and returns their bin folder. The copy
 * gets its name only when it is whole and on disk, so a half one is never run. The caller holds the start lock.
 */
export function copyBinaries(found: PlatformPackage, folder: string): string {
  const name = `${found.version}-${process.platform}-${process.arch}`;
  const whole = join(folder, name);
  const bin = join(whole, 'native/bin');
  if (existsSync(whole)) return bin;
  try {
    makeFolder(folder, 0o755, undefined);
    // What an earlier version, or a copy that was killed half way, left.
    for (const old of readdirSync(folder)) rmSync(join(folder, old), { recursive: true, force: true });
    const half = join(folder, `${randomBytes(6).toString('hex')}.tmp`);
    cpSync(join(found.root, 'native'), join(half, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a') && !source.endsWith('/pkgconfig') && !source.endsWith('/pgxs'),
    });
    makeLibraryLinks(half, found.links);
    openToAll(half);
    renameSync(half, whole);
  } catch (error) {
    throw explainFileError(error, folder);
  }
  return bin;
}

/** Readable for the user who runs it, whatever umask it was installed with, and written through to the disk. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) {
      chmodSync(path, folder.endsWith('/bin') ? 0o755 : 0o644);
      const handle = openSync(path, 'r');
      fsyncSync(handle);
      closeSync(handle);
    }
  }
}
