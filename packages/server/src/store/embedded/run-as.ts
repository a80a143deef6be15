import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, explainFileError } from './embedded-postgres-error.js';

/** The system user that PostgreSQL runs as: it refuses to run as root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  /** true when this process is root and PostgreSQL is another user */
  readonly switched: boolean;
}

const NOBODY = 65534;

/**
 * Who owns and runs the database: we ourselves, unless we are root; then the owner of the data folder, or
 * `nobody` when that is root too. An owner without a name cannot run initdb, so `nobody` stands in.
 */
export function chooseRunAs(dataFolder: Pick<Stats, 'uid' | 'gid'>, passwd: string = readPasswd()): RunAs {
  const ownUid = process.geteuid?.() ?? 0;
  if (ownUid !== 0) {
    return { uid: ownUid, gid: process.getegid?.() ?? 0, name: nameOf(ownUid, passwd), switched: false };
  }
  const users = parsePasswd(passwd);
  if (dataFolder.uid !== 0) {
    const owner = users.find((user) => user.uid === dataFolder.uid);
    if (owner !== undefined) return { ...owner, switched: true };
  }
  const nobody = users.find((user) => user.name === 'nobody');
  return { uid: nobody?.uid ?? NOBODY, gid: nobody?.gid ?? NOBODY, name: 'nobody', switched: true };
}

/** The user who owns an existing cluster goes on running it. */
export function runAsOwner(cluster: Pick<Stats, 'uid' | 'gid'>): RunAs {
  const switched = (process.geteuid?.() ?? 0) === 0;
  return { uid: cluster.uid, gid: cluster.gid, name: nameOf(cluster.uid, readPasswd()), switched };
}

/**
 * The first folder on the way to `path` (included) that `runAs` may not enter, or undefined when all is well.
 * Reads the mode bits alone: a folder opened by an ACL counts as closed, which costs a copy and breaks nothing.
 */
export function closedFolder(path: string, runAs: RunAs): string | undefined {
  if (!runAs.switched) return undefined;
  const parent = dirname(path);
  const above = parent === path ? undefined : closedFolder(parent, runAs);
  if (above !== undefined) return above;
  return hasPermission(statSync(path), runAs, 0o1) ? undefined : path;
}

/** Whether the mode bits give `runAs` all permissions in `bits` (4 read, 2 write, 1 enter or execute). */
export function hasPermission(
  stats: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  runAs: RunAs,
  bits: number,
): boolean {
  const shift = stats.uid === runAs.uid ? 6 : stats.gid === runAs.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
}

/** Makes a folder with exactly this mode and owner, whatever the umask; leaves an existing one as it is. */
export function makeFolder(path: string, mode: number, owner: RunAs | undefined): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    throw explainFileError(error, path);
  }
  try {
    chmodSync(path, mode);
    if (owner !== undefined) giveTo(path, owner);
  } catch (error) {
    throw explainFileError(error, path);
  }
}

/** Makes PostgreSQL's user the owner of what we made as root. */
export function giveTo(path: string, owner: RunAs): void {
  if (owner.switched) chownSync(path, owner.uid, owner.gid);
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function parsePasswd(passwd: string): User[] {
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined || name.startsWith('#')) return [];
    // macOS writes nobody as -2; the system calls want it unsigned.
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }];
  });
}

function nameOf(uid: number, passwd: string): string {
  return parsePasswd(passwd).find((user) => user.uid === uid)?.name ?? `with id ${uid}`;
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw explainFileError(error, '/etc/passwd');
  }
}
