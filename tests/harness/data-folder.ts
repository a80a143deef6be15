import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Names the folder that the run's global setup has made, for its worker processes. */
export const TEMPLATE = 'TESTS_TEMPLATE_DIR';

/** A new data folder that was started on once; undefined outside a test run. */
export async function copyTemplate(): Promise<string | undefined> {
  const template = process.env[TEMPLATE];
  if (template === undefined) return undefined;
  const dataDir = mkdtempSync(join(tmpdir(), 'curbline-test-'));
  // `cp` keeps owners: as root, the database belongs to another user.
  await promisify(execFile)('cp', ['-a', `${template}/.`, dataDir]);
  return dataDir;
}
