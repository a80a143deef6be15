import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OUT, ROOT } from '../rig/paths.ts';
import { start, waitForLine } from '../rig/process.ts';
import type { Pair } from '../load/spec.ts';
import { pairs } from './people.ts';
import { TOKEN_SECRET, type LaunchOptions, type Running, type Target } from './target.ts';

/** As `npm start` and the command `curbline` run it. */
export function flagsOf(folder: string): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.match(/--\S+/g) ?? [];
}
const API_KEY = 'bench-api-key-0123456789';
export const SCRIPT = 'apps/standalone/dist/main.js';
const SEEDS_AT_ONCE = 16;

export const curblineBuilt = (): boolean => existsSync(join(ROOT, SCRIPT));

/** Curbline on a database of its own under this name; of another checkout, which must be built, where a folder is given. */
export const curblineOn = (database: string, folder: string = ROOT): Target => ({
  name: 'curbline',
  title: 'Curbline',
  dialect: 'socket.io',
  tokenPlace: 'auth',
  database,
  launch: async ({ core, postgres, nodeArgs = [], keep = false }: LaunchOptions): Promise<Running> => {
    if (!keep) await postgres.fresh(database);
    const dataDir = join(OUT, `${database}-data`);
    mkdirSync(dataDir, { recursive: true });
    const env = {
      CURBLINE_PORT: '0',
      CURBLINE_DATA_DIR: dataDir,
      CURBLINE_DATABASE_URL: postgres.url(database),
      CURBLINE_TOKEN_SECRET: TOKEN_SECRET,
      CURBLINE_API_KEYS: API_KEY,
      CURBLINE_MESSAGES_PER_S: '0',
    };
    const args = [...flagsOf(folder), ...nodeArgs, join(folder, SCRIPT)];
    const process_ = start('curbline', core, process.execPath, args, env);
    const [, port] = await waitForLine(process_, /https?:\/\/[^\s/:]+:(\d+)/);
    const base = `http://127.0.0.1:${port}`;
    await healthy(base);
    return {
      port: Number(port),
      process: process_,
      seed: (count) => seed(base, count),
      stored: async () =>
        Number((await postgres.query<{ n: string }>(database, 'select count(*) n from messages'))[0]?.n),
    };
  },
});

export const curbline = curblineOn('bench_curbline');

async function healthy(base: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const ok = await fetch(`${base}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await sleep(100);
  }
  throw new Error('Curbline is not ready after 30 s');
}

async function seed(base: string, count: number): Promise<Pair[]> {
  const all = pairs(count);
  let next = 0;
  const worker = async () => {
    while (next < all.length) {
      const { booking_id, driver, customer } = all[next++]!;
      const response = await fetch(`${base}/v1/bookings/${booking_id}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          driver: { id: driver.user_id, name: driver.user_id },
          customer: { id: customer.user_id, name: customer.user_id },
          status: 'in_progress',
        }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`PUT of a booking: ${response.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: SEEDS_AT_ONCE }, worker));
  return all;
}
