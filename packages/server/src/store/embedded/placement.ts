import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { writeDurably } from './durable-file.js';
import { EmbeddedPostgresError, explainFileError, USE_A_SERVER } from './embedded-postgres-error.js';
import { SOCKET_PORT } from './probe.js';
import { chooseRunAs, closedFolder, giveTo, makeFolder, runAsOwner, type RunAs } from './run-as.js';

/** Where the parts of the database lie, and who runs it. */
export interface Placement {
  readonly clusterDir: string;
  readonly socketDir: string;
  readonly binariesDir: string;
  readonly runAs: RunAs;
  readonly notes: readonly string[];
}

/** What exists before the start lock is held: our folder inside the data folder. */
export interface Home {
  /** `<data folder>/postgres`: locks, log, marker, and the cluster unless it had to be relocated */
  readonly dir: string;
  readonly runAs: RunAs;
}

/** Where clusters go whose data folder PostgreSQL's user cannot reach. */
const RELOCATION_ROOT = '/var/lib/curbline';

const SOCKET_PATH_LIMIT = process.platform === 'darwin' ? 103 : 107;

/** Makes the data folder and ours in it; safe to run at once in several processes. */
export function makeHome(dataDir: string): Home {
  const wanted = resolve(dataDir);
  try {
    const made = mkdirSync(wanted, { recursive: true });
    if (made !== undefined && process.geteuid?.() === 0) openFolders(wanted, made);
    const dataFolder = realpathSync(wanted);
    const runAs = chooseRunAs(statSync(dataFolder));
    const dir = join(dataFolder, 'postgres');
    // root keeps the folder when nobody runs PostgreSQL, who shall enter it but not write to it.
    const owner = runAs.switched && statSync(dataFolder).uid === runAs.uid ? runAs : undefined;
    makeFolder(dir, runAs.switched && owner === undefined ? 0o711 : 0o700, owner);
    if (lstatSync(dir).isSymbolicLink()) throw inTheWay(dir);
    return { dir, runAs };
  } catch (error) {
    throw explainFileError(error, wanted);
  }
}

/** Decides where the cluster lies. The caller holds the start lock. */
export function place(home: Home): Placement {
  try {
    const base = chooseBase(home);
    const clusterDir = join(base.dir, 'cluster');
    const runAs = ownerOf(clusterDir, home.runAs);
    return {
      clusterDir,
      socketDir: chooseSocketFolder(base.dir, runAs),
      binariesDir: join(base.dir, 'binaries'),
      runAs,
      notes: base.notes,
    };
  } catch (error) {
    throw explainFileError(error, home.dir);
  }
}

/** Whether the path of the socket in this folder is one that the kernel takes. */
export function fitsSocketPath(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_LIMIT;
}

function chooseBase(home: Home): { dir: string; notes: string[] } {
  const marker = join(home.dir, 'relocated-to');
  const closed = closedFolder(home.dir, home.runAs);
  const relocated = existsSync(marker);
  if (!relocated && closed === undefined) return { dir: home.dir, notes: [] };
  if (!relocated && existsSync(join(home.dir, 'cluster'))) {
    throw new EmbeddedPostgresError(
      `User ${home.runAs.name}, who runs the database in ${home.dir}, may not enter ${closed}: run chmod o+x ${closed} and start again.`,
    );
  }
  // The marker comes first: a first start that is killed leaves a folder that the next one finds and uses.
  if (!relocated) writeDurably(marker, `${randomBytes(12).toString('hex')}\n`);
  const id = readFileSync(marker, 'utf8').trim();
  if (!/^[0-9a-f]{24}$/.test(id))
    throw new EmbeddedPostgresError(`${marker} is damaged: it should hold 24 hexadecimal digits.`);
  const dir = join(RELOCATION_ROOT, id);
  refuseLostCluster(home.dir, marker, dir);
  makeRelocation(home, dir, closed);
  return {
    dir,
    notes: [
      `The database lies in ${dir}, because user ${home.runAs.name}, who runs PostgreSQL, may not enter ${closed ?? home.dir}: back it up from there.`,
    ],
  };
}

/** A marker whose cluster is gone means lost data; an empty database in its place would hide that. */
function refuseLostCluster(home: string, marker: string, dir: string): void {
  if (!existsSync(join(home, 'relocated-cluster-made')) || existsSync(join(dir, 'cluster'))) return;
  throw new EmbeddedPostgresError(
    `The database of ${dirname(home)} was kept in ${dir}, which is gone: bring it back from a backup, or delete ${marker} and relocated-cluster-made beside it to begin with an empty one.`,
  );
}

/** Remembers that the relocated cluster exists, so that its loss is noticed. */
export function rememberRelocation(home: Home, placement: Placement): void {
  const made = join(home.dir, 'relocated-cluster-made');
  if (placement.clusterDir.startsWith(home.dir) || existsSync(made)) return;
  writeDurably(made, `${placement.clusterDir}\n`);
}

function makeRelocation(home: Home, dir: string, closed: string | undefined): void {
  try {
    const made = mkdirSync(RELOCATION_ROOT, { recursive: true });
    if (made !== undefined) openFolders(RELOCATION_ROOT, made);
    makeFolder(dir, 0o711, undefined);
    if (!existsSync(join(dir, 'origin'))) writeDurably(join(dir, 'origin'), `${dirname(home.dir)}\n`);
  } catch (error) {
    const cure = `run chmod o+x ${closed ?? home.dir}, set CURBLINE_DATA_DIR to a folder that user ${home.runAs.name} can reach, ${USE_A_SERVER}`;
    throw new EmbeddedPostgresError(
      `User ${home.runAs.name}, who runs PostgreSQL, cannot reach ${home.dir}, and ${dir} cannot be made: ${cure}.`,
      { cause: error },
    );
  }
  const stillClosed = closedFolder(dir, home.runAs);
  if (stillClosed === undefined) return;
  throw new EmbeddedPostgresError(
    `User ${home.runAs.name}, who runs PostgreSQL, may not enter ${stillClosed}: run chmod o+x ${stillClosed}.`,
  );
}

function ownerOf(clusterDir: string, runAs: RunAs): RunAs {
  const cluster = statSync(clusterDir, { throwIfNoEntry: false });
  if (cluster === undefined || cluster.uid === runAs.uid) return runAs;
  if (runAs.switched && cluster.uid !== 0) return runAsOwner(cluster);
  const owner = runAsOwner(cluster).name;
  throw new EmbeddedPostgresError(
    runAs.switched
      ? `The database folder ${clusterDir} belongs to root, as whom PostgreSQL refuses to run: run chown -R ${runAs.name} ${clusterDir}.`
      : `The database folder ${clusterDir} belongs to user ${owner}: start Curbline as that user or as root, or set CURBLINE_DATA_DIR to another folder.`,
  );
}

function chooseSocketFolder(base: string, runAs: RunAs): string {
  const inside = join(base, 'run');
  if (fitsSocketPath(inside)) {
    makeFolder(inside, 0o700, runAs);
    return inside;
  }
  const record = join(base, 'socket-folder');
  const recorded = existsSync(record) ? readFileSync(record, 'utf8').trim() : undefined;
  if (recorded !== undefined && isPrivateFolder(recorded, runAs)) return recorded;
  const parent = [tmpdir(), '/tmp'].find(
    (folder) => closedFolder(folder, runAs) === undefined && fitsSocketPath(join(folder, 'curbline-XXXXXX')),
  );
  if (parent === undefined)
    throw new EmbeddedPostgresError(
      `The path ${inside} is too long for a socket: set CURBLINE_DATA_DIR to a shorter one.`,
    );
  const short = mkdtempSync(join(parent, 'curbline-'));
  giveTo(short, runAs);
  writeDurably(record, `${short}\n`);
  return short;
}

/** In a folder that everyone may write to, only what we made ourselves is trusted. */
function isPrivateFolder(path: string, runAs: RunAs): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.isDirectory() && stats.uid === runAs.uid && (stats.mode & 0o077) === 0;
}

/** Opens the folders that we just made, whatever the umask: PostgreSQL's user has to pass. Others' stay as they are. */
function openFolders(innermost: string, firstMade: string): void {
  for (let folder = innermost; folder.startsWith(firstMade); folder = dirname(folder))
    chmodSync(folder, 0o755);
}

function inTheWay(path: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `${path} is a link to somewhere else: remove it, or set CURBLINE_DATA_DIR to another folder.`,
  );
}
