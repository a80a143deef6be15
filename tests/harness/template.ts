import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Making a cluster takes PostgreSQL two seconds of work. It is made once for a run, by the real server on an empty
 * folder, and each test's server starts on a copy. What is under test at an empty folder starts without it.
 */
const TEMPLATE = 'TESTS_TEMPLATE_DIR';

/** vitest's `globalSetup`. */
export async function setup(): Promise<() => Promise<void>> {
  const { TestServer } = await import('./server.js');
  const server = await TestServer.startEmpty();
  await server.kill('SIGTERM');
  // Every server makes its own keys.
  await rm(join(server.dataDir, 'dev-keys.json'), { force: true });
  process.env[TEMPLATE] = server.dataDir;
  return () => rm(server.dataDir, { recursive: true, force: true });
}

/** A new data folder that was started on once; undefined outside a test run. */
export async function copyTemplate(): Promise<string | undefined> {
  const template = process.env[TEMPLATE];
  if (template === undefined) return undefined;
  const dataDir = mkdtempSync(join(tmpdir(), 'curbline-test-'));
  // `cp` keeps owners: as root, the database belongs to another user.
  await promisify(execFile)('cp', ['-a', `${template}/.`, dataDir]);
  return dataDir;
}
