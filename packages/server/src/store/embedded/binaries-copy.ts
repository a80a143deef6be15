import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { explainFileError } from './embedded-postgres-error.js';
import { makeLibraryLinks, type PlatformPackage } from './platform-package.js';
import { makeFolder } from './run-as.js';

/**
 * Copies a platform package's programs to `folder`, under their version, and returns their bin folder. The copy
 * gets its name only when it is whole, so a half one is never run. The caller holds the start lock.
 */
export function copyBinaries(found: PlatformPackage, folder: string): string {
  const name = `${found.version}-${process.platform}-${process.arch}`;
  const whole = join(folder, name);
  const bin = join(whole, 'native/bin');
  try {
    if (existsSync(whole) && isWhole(join(whole, 'native'), join(found.root, 'native'))) return bin;
    makeFolder(folder, 0o755, undefined);
    // What an earlier version, or a copy that was killed half way, left.
    for (const old of readdirSync(folder)) rmSync(join(folder, old), { recursive: true, force: true });
    const half = join(folder, `${randomBytes(6).toString('hex')}.tmp`);
    cpSync(join(found.root, 'native'), join(half, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: isNeeded,
    });
    makeLibraryLinks(half, found.links);
    openToAll(half);
    renameSync(half, whole);
  } catch (error) {
    throw explainFileError(error, folder);
  }
  return bin;
}

/** Readable for the user who runs it, whatever umask it was installed with. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, folder.endsWith('/bin') ? 0o755 : 0o644);
  }
}

/**
 * A power loss can cut files of a copy that was not synced yet. Comparing sizes costs a few milliseconds at each
 * start; syncing a thousand files was seen to take twenty seconds on a busy disk.
 */
function isWhole(copy: string, original: string): boolean {
  return readdirSync(original, { withFileTypes: true })
    .filter((entry) => isNeeded(entry.name))
    .every((entry) => {
      const [one, other] = [join(copy, entry.name), join(original, entry.name)];
      if (entry.isDirectory()) return existsSync(one) && isWhole(one, other);
      return statSync(one, { throwIfNoEntry: false })?.size === statSync(other).size;
    });
}

/** Static libraries and build files are of no use to a server. */
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && !path.endsWith('pkgconfig') && !path.endsWith('pgxs');
}
