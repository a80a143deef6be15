/** The embedded database cannot be used; the message is a sentence that a person can act on. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** Ends every sentence whose cure is another database. */
export const USE_A_SERVER = 'or set CURBLINE_DATABASE_URL to a PostgreSQL server of your own';

/** The system's error code of a failed call (ENOENT, EACCES, ...), or a PostgreSQL SQLSTATE. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Turns a failed file operation below `folder` into the sentence for its cause. */
export function explainFileError(error: unknown, folder: string): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  return new EmbeddedPostgresError(fileSentence(errorCode(error), errorText(error), folder), {
    cause: error,
  });
}

/** Turns what PostgreSQL's programs said when they failed into the sentence for its cause. */
export function explainProgramError(program: string, output: string, folder: string): EmbeddedPostgresError {
  const said = output.trim();
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    return new EmbeddedPostgresError(fileSentence('ENOSPC', said, folder));
  }
  if (/Read-only file system/.test(said)) {
    return new EmbeddedPostgresError(fileSentence('EROFS', said, folder));
  }
  if (/could not look up effective user ID/.test(said)) {
    return new EmbeddedPostgresError(
      `PostgreSQL cannot make a database for a user without a name: give the user id of this process an entry in /etc/passwd, ${USE_A_SERVER}.`,
    );
  }
  const reason = said === '' ? 'it said nothing' : said;
  return new EmbeddedPostgresError(
    `${program} failed for the database in ${folder}: ${reason}. Cure that, ${USE_A_SERVER}.`,
  );
}

function fileSentence(code: string | undefined, detail: string, folder: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return `The disk that holds ${folder} is full: free at least 200 MB there, set CURBLINE_DATA_DIR to a folder on another disk, ${USE_A_SERVER}.`;
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `Curbline may not write to ${folder} (${detail}): make it writable for the user Curbline runs as, set CURBLINE_DATA_DIR to another folder, ${USE_A_SERVER}.`;
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return `${folder} is in the way, it is not a folder (${detail}): move it, or set CURBLINE_DATA_DIR to another folder.`;
  }
  return `The database folder ${folder} cannot be used: ${detail}. Cure that, ${USE_A_SERVER}.`;
}
