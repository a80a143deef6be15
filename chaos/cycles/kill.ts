import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OUT } from '../rig/paths.ts';
import { signal } from '../rig/processes.ts';
import { Random } from '../rig/random.ts';
import { Server } from '../rig/server.ts';
import { until } from '../rig/shell.ts';
import { Loop } from './loop.ts';

const KINDS = ['server', 'server', 'server and database', 'database'] as const;
const SAY_EVERY = 50;

/** `kill -9` of the server, of its PostgreSQL, or of both, with messages under way; then every promise is checked. */
export async function killCycles(
  cycles: number,
  seed: number,
  say: (line: string) => void,
): Promise<boolean> {
  const dataDir = mkdtempSync(join(tmpdir(), 'curbline-kills-'));
  chmodSync(dataDir, 0o755);
  const random = new Random(seed);
  const loop_ = `kill-cycles-${seed}`;
  const server = new Server(dataDir, join(OUT, `${loop_}.log`));
  const stop = (): void => void server.destroy().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const loop = new Loop(loop_, server, random);
  try {
    await server.start();
    await loop.open();
    for (let n = 0; n < cycles && loop.wrong.length === 0 && loop.lost === 0; n += 1) {
      const kind = random.pick(KINDS);
      if (kind === 'database') {
        await loop.cycle(
          kind,
          async () => killPostmaster(server),
          () => comesBack(server),
          false,
        );
      } else {
        const strike = kind === 'server' ? () => server.kill('SIGKILL') : () => server.destroy();
        await loop.cycle(kind, strike, () => server.start(), true);
      }
      if ((n + 1) % SAY_EVERY === 0) say(`  ${loop.summary()}`);
    }
    await loop.close();
    loop.keepTraces();
  } finally {
    await server.destroy();
    rmSync(dataDir, { recursive: true, force: true });
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  say(`seed ${seed}, kill -9: ${loop.summary()}`);
  for (const line of loop.wrong.slice(0, 10)) say(`  ${line}`);
  return loop.wrong.length === 0 && loop.lost === 0;
}

function killPostmaster(server: Server): void {
  const pid = server.postmaster;
  if (pid === undefined) throw new Error('there is no postmaster to kill');
  signal(pid, 'SIGKILL');
}

async function comesBack(server: Server): Promise<void> {
  const back = await until(
    () => {
      server.assertAlive();
      return server.isReady();
    },
    60_000,
    20,
  );
  if (!back) throw new Error('the database did not come back');
}
