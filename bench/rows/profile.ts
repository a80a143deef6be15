import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeProfile, type CpuProfile } from '../report/profile.ts';
import { Inspector } from '../rig/inspector.ts';
import { OUT } from '../rig/paths.ts';
import { allTargets } from '../targets/all.ts';
import { loadOnce, withServer, type Bench } from './measure.ts';

/** Where a server's CPU goes under the closed loop; the whole profile is kept for a viewer. */
export async function profile(bench: Bench): Promise<void> {
  for (const target of bench.targets(...allTargets)) {
    await withServer(
      bench,
      target,
      'together',
      async (running) => {
        const inspector = await Inspector.open(running.process);
        const pairs = await running.seed(bench.shape.pairs);
        const shape = { ...bench.shape, loop: { kind: 'closed', inFlight: bench.inFlight } } as const;
        await loadOnce(bench, target, running, pairs, shape);
        await inspector.ask('Profiler.enable');
        await inspector.ask('Profiler.setSamplingInterval', { interval: 200 });
        await inspector.ask('Profiler.start');
        const sample = await loadOnce(bench, target, running, pairs, shape, 1);
        const stopped = (await inspector.ask('Profiler.stop')) as { profile: CpuProfile };
        inspector.close();
        const file = join(OUT, `${target.name}.cpuprofile`);
        writeFileSync(file, JSON.stringify(stopped.profile));
        bench.say(`\n# ${target.name}: ${Math.round(sample.ackedPerSecond)}/s while profiled; ${file}`);
        for (const line of describeProfile(stopped.profile, sample.total.acked)) bench.say(line);
      },
      { nodeArgs: ['--inspect=127.0.0.1:0'] },
    );
  }
}
