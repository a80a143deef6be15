import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { treePids } from '../load/proc.ts';
import { show, spread } from '../report/stats.ts';
import { ROOT } from '../rig/paths.ts';
import { start, waitForLine, type Started } from '../rig/process.ts';
import { SCRIPT, flagsOf } from '../targets/curbline.ts';
import type { Bench } from './measure.ts';

const IDLE_MS = 85_000;

/** From the start of the process to the line that says it is ready, with the embedded database; then what the idle server weighs with it. */
export async function startUp(bench: Bench): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'curbline-bench-start-'));
  const env = { CURBLINE_PORT: '0', CURBLINE_DATA_DIR: dataDir, CURBLINE_DATABASE_URL: undefined };
  const launch = async (): Promise<{ ms: number; process: Started }> => {
    const begun = performance.now();
    const launched = start('start', null, process.execPath, [...flagsOf(ROOT), join(ROOT, SCRIPT)], env);
    await waitForLine(launched, /is ready at/);
    return { ms: performance.now() - begun, process: launched };
  };
  try {
    const first = await launch();
    await first.process.stop();
    bench.say(`first start ${first.ms.toFixed(0)} ms`);
    const warm: number[] = [];
    for (let round = 1; round <= bench.rounds; round += 1) {
      const again = await launch();
      warm.push(again.ms);
      if (round === bench.rounds) {
        await sleep(bench.quick ? 5_000 : IDLE_MS);
        const { pid } = again.process;
        const own = proportionalMb(pid);
        const others = treePids(pid).filter((each) => each !== pid);
        const database = others.reduce((sum, each) => sum + proportionalMb(each), 0);
        bench.say(
          `idle: ${(own + database).toFixed(1)} MB, the server ${own.toFixed(1)}, PostgreSQL ${database.toFixed(1)}`,
        );
      }
      await again.process.stop();
    }
    bench.say(`warm start ${show(spread(warm))} ms`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Its share of the memory that it has with others: all shares together are what is used. */
function proportionalMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return (Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024) / 1e6;
}
