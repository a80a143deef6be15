import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoopDisk } from '../rig/disk.ts';
import { OUT } from '../rig/paths.ts';
import { Random } from '../rig/random.ts';
import { Server } from '../rig/server.ts';
import { isRoot } from '../rig/shell.ts';
import { Loop } from './loop.ts';

const DISK_MB = 400;
const SAY_EVERY = 20;

/**
 * The data folder lies on ext4 in a file on a loop device. With messages under way the file system is shut down: from
 * then on nothing reaches the disk, not even its journal. Everything is killed, the journal replayed, and started again.
 * `unsafe` switches synchronous commits off: the control that shows that such a blow does lose what was not synced.
 */
export async function powerCycles(
  cycles: number,
  seed: number,
  say: (line: string) => void,
  unsafe = false,
): Promise<boolean> {
  if (!isRoot) {
    say('left out: power-loss cycles: they need root for a loop device');
    return false;
  }
  const name = `power-cycles-${seed}${unsafe ? '-unsafe' : ''}`;
  mkdirSync(OUT, { recursive: true });
  const dir = join(tmpdir(), `curbline-power-${process.pid}`);
  const disk = LoopDisk.make(dir, `${dir}.img`, DISK_MB);
  const server = new Server(join(dir, 'data'), join(OUT, `${name}.log`));
  const cleanUp = async (): Promise<void> => {
    await server.destroy();
    disk.remove();
    rmSync(dir, { recursive: true, force: true });
  };
  const stop = (): void => void cleanUp().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const random = new Random(seed);
  const loop = new Loop(name, server, random);
  try {
    await server.start();
    if (unsafe) {
      await server.query('ALTER SYSTEM SET synchronous_commit = off');
      await server.query('SELECT pg_reload_conf()');
    }
    await loop.open();
    for (let n = 0; n < cycles && loop.wrong.length === 0 && loop.lost === 0; n += 1) {
      const strike = async (): Promise<void> => {
        disk.losePower();
        await server.destroy();
      };
      const back = async (): Promise<void> => {
        disk.powerBack();
        await server.start();
      };
      await loop.cycle('power loss', strike, back, true);
      if ((n + 1) % SAY_EVERY === 0) say(`  ${loop.summary()}`);
    }
    if (loop.lost === 0) await loop.close();
  } finally {
    await cleanUp();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  say(`seed ${seed}, power loss${unsafe ? ' without synchronous commits' : ''}: ${loop.summary()}`);
  for (const line of loop.wrong.slice(0, 10)) say(`  ${line}`);
  return loop.wrong.length === 0 && loop.lost === 0;
}
