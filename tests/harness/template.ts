import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TEMPLATE } from './data-folder.js';
import { TestServer } from './server.js';
import { until } from './until.js';

/**
 * Making a cluster takes PostgreSQL two seconds of work. It is made once for a run, by the real server on an empty
 * folder, and each test's server starts on a copy. What is under test at an empty folder starts without it.
 *
 * vitest's `globalSetup`.
 */
export async function setup(): Promise<() => Promise<void>> {
  const server = await TestServer.startEmpty();
  await server.kill('SIGTERM');
  // On a busy disk a server does not wait for ever for its PostgreSQL, which then writes on into what would be copied.
  await until(
    'PostgreSQL has stopped',
    async () => {
      const files = await readdir(server.dataDir, { recursive: true });
      return !files.some((file) => file.endsWith('postmaster.pid'));
    },
    60_000,
  );
  // Every server makes its own keys.
  await rm(join(server.dataDir, 'dev-keys.json'), { force: true });
  process.env[TEMPLATE] = server.dataDir;
  return () => rm(server.dataDir, { recursive: true, force: true });
}
