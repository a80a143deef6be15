import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeTrace } from '../report/trace.ts';
import { OUT } from '../rig/paths.ts';
import { LOAD_CORE, SERVER_CORE, start } from '../rig/process.ts';
import { curbline } from '../targets/curbline.ts';
import { loadOnce, withServer, type Bench } from './measure.ts';

const RATE = 400;
const SECONDS = 3;
/** Who has just come is served with more care: see `calmTurns`. */
const SETTLED_MS = 7_000;
const EVENTS = 'sched:sched_switch,raw_syscalls:sys_enter,raw_syscalls:sys_exit';
const FIELDS = 'comm,tid,time,event,trace';

/** Where the time of one message goes at 400 a second, by what the scheduler and the system calls of the server's core say. It needs `perf`, and rights for it. */
export async function trace(bench: Bench): Promise<void> {
  if (spawnSync('perf', ['--version']).status !== 0) throw new Error('trace needs the program perf');
  await withServer(bench, curbline, 'together', async (running) => {
    const pairs = await running.seed(bench.shape.pairs);
    const load = (timing: { warmupMs: number; measureMs: number }, loop: 'closed' | 'open') =>
      loadOnce(
        bench,
        curbline,
        running,
        pairs,
        {
          ...bench.shape,
          timing,
          loop: loop === 'open' ? { kind: loop, rate: RATE } : { kind: loop, inFlight: 1 },
        },
        1,
      );
    await load({ warmupMs: 500, measureMs: 3_000 }, 'closed');
    const file = join(OUT, 'trace.data');
    const under = load({ warmupMs: SETTLED_MS, measureMs: SECONDS * 1_000 + 2_000 }, 'open');
    await sleep(SETTLED_MS + 1_500);
    // It works on the load's core: on the server's, it would trace itself.
    const args = ['record', '-m', '32M', '-o', file, '-C', String(SERVER_CORE), '-e', EVENTS];
    const perf = start('perf', LOAD_CORE, 'perf', [...args, 'sleep', String(SECONDS)]);
    await new Promise((resolve) => perf.child.once('exit', resolve));
    await under;
    const { stdout } = spawnSync('perf', ['script', '-i', file, '-F', FIELDS], {
      encoding: 'latin1',
      maxBuffer: 2 ** 30,
    });
    for (const line of describeTrace(stdout)) bench.say(line);
  });
}
