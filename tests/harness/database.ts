import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** A connection of the test's own to the embedded database of a data folder that a server runs on. */
export async function embeddedClient(dataDir: string): Promise<pg.Client> {
  const { host, port } = await socketOf(dataDir);
  const client = new pg.Client({ host, port, user: 'curbline', database: 'curbline', ssl: false });
  await client.connect();
  return client;
}

/** Line 4 and 5 of `postmaster.pid` are the port and the socket's folder. */
async function socketOf(dataDir: string): Promise<{ host: string; port: number }> {
  const entries = await readdir(dataDir, { recursive: true });
  const pidFile = entries.find((entry) => entry.endsWith('postmaster.pid'));
  if (pidFile === undefined) throw new Error(`no PostgreSQL runs in ${dataDir}`);
  const lines = (await readFile(join(dataDir, pidFile), 'utf8')).split('\n');
  return { host: lines[4] ?? '', port: Number(lines[3]) };
}
