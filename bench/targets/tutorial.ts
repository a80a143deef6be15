import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH, ROOT } from '../rig/paths.ts';
import { start, waitForLine } from '../rig/process.ts';
import { pairs } from './people.ts';
import { TOKEN_SECRET, type LaunchOptions, type Running, type Target } from './target.ts';

let compiled = false;

/** Its decorators need a compiler; everything else here runs as it is. */
function compile(): void {
  if (compiled) return;
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const done = spawnSync(tsc, ['-p', join(BENCH, 'baselines/tutorial/tsconfig.json')], { encoding: 'utf8' });
  if (done.status !== 0)
    throw new Error(`the tutorial's gateway does not compile:\n${done.stdout}${done.stderr}`);
  compiled = true;
}

function form(name: string, title: string, kind: 'full' | 'lean'): Target {
  const database = `bench_${name.replaceAll('-', '_')}`;
  return {
    name,
    title,
    dialect: 'socket.io',
    tokenPlace: 'header',
    database,
    launch: async ({ core, postgres, nodeArgs = [], keep = false }: LaunchOptions): Promise<Running> => {
      compile();
      if (!keep) {
        await postgres.fresh(database);
        await postgres.query(database, readFileSync(join(BENCH, 'baselines/tutorial/schema.sql'), 'utf8'));
      }
      const env = {
        TUTORIAL_DATABASE_URL: postgres.url(database),
        TUTORIAL_TOKEN_SECRET: TOKEN_SECRET,
        TUTORIAL_FORM: kind,
        NODE_ENV: 'production',
      };
      const process_ = start(
        name,
        core,
        process.execPath,
        [...nodeArgs, join(BENCH, 'dist/tutorial/main.js')],
        env,
      );
      const [, port] = await waitForLine(process_, /^ready (\d+)$/);
      return {
        port: Number(port),
        process: process_,
        seed: async (count) => {
          await postgres.query(
            database,
            `with n as (select generate_series(1, $1::int) i),
              d as (insert into drivers select 'driver-' || i, 'Driver ' || i from n on conflict do nothing),
              c as (insert into customers select 'customer-' || i, 'Customer ' || i from n on conflict do nothing)
            select 1`,
            [count],
          );
          await postgres.query(
            database,
            `insert into bookings select 'booking-' || i, 'driver-' || i, 'customer-' || i
             from generate_series(1, $1::int) i on conflict do nothing`,
            [count],
          );
          return pairs(count);
        },
        stored: async () =>
          Number((await postgres.query<{ n: string }>(database, 'select count(*) n from messages'))[0]?.n),
      };
    },
  };
}

export const tutorial = form('tutorial', "the tutorial's gateway", 'full');
export const tutorialLean = form('tutorial-lean', 'its leanest form', 'lean');
