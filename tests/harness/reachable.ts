import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import pg from 'pg';

const probeTimeoutMs = 2_000;

/** A PostgreSQL server in which tests may make databases: TEST_DATABASE_URL, else one on this machine. */
export async function postgresUrl(): Promise<string | undefined> {
  const named = process.env['TEST_DATABASE_URL'];
  // A server that was asked for by name and is not there fails the tests; it does not skip them.
  if (named !== undefined && named !== '') return named;
  const usual = 'postgres://postgres@127.0.0.1:5432/postgres';
  const client = new pg.Client({ connectionString: usual, connectionTimeoutMillis: probeTimeoutMs });
  try {
    await client.connect();
    const { rows } = await client.query<{ may: boolean }>(
      'select rolcreatedb or rolsuper as may from pg_roles where rolname = current_user',
    );
    return rows[0]?.may === true ? usual : undefined;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The Chromium that tests drive: TEST_CHROMIUM, else the first of the usual names in PATH. */
export function chromiumPath(): string | undefined {
  const named = process.env['TEST_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const mac = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...mac].find(existsSync);
}

/** The Python that has python3-socketio and a transport for its client. */
export function pythonSocketio(): string | undefined {
  const candidates = ['/usr/bin/python3', 'python3'];
  return candidates.find((python) => {
    const found = spawnSync(python, ['-c', 'import socketio, requests, websocket'], { timeout: 10_000 });
    return found.status === 0;
  });
}
