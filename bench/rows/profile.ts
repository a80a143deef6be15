import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeHeap,
  describeKept,
  describeProfile,
  type CpuProfile,
  type HeapNode,
} from '../report/profile.ts';
import { Inspector } from '../rig/inspector.ts';
import { OUT } from '../rig/paths.ts';
import { allTargets } from '../targets/all.ts';
import { curbline } from '../targets/curbline.ts';
import { socketIoRelay } from '../targets/relays.ts';
import type { Running, Target } from '../targets/target.ts';
import { loadOnce, withServer, type Bench, type Placement } from './measure.ts';
import { holdSockets, shakeHands } from './sockets.ts';

/** Where a server's CPU goes under the closed loop; the whole profile is kept for a viewer. */
export async function profile(bench: Bench): Promise<void> {
  await profiled(bench, allTargets, async (target, running, start) => {
    const pairs = await running.seed(bench.shape.pairs);
    const shape = { ...bench.shape, loop: { kind: 'closed', inFlight: bench.inFlight } } as const;
    await loadOnce(bench, target, running, pairs, shape);
    await start();
    return (await loadOnce(bench, target, running, pairs, shape, 1)).total.acked;
  });
}

/** The same at half of what the server can do, where batches are small and the event loop turns more often. */
export async function profileHalf(bench: Bench): Promise<void> {
  await profiled(bench, allTargets, async (target, running, start) => {
    const load = await halfLoad(bench, target, running);
    await start();
    return load();
  });
}

/** Finds what the server can do; answers a function that loads it with half of that and says how many were acked. */
async function halfLoad(bench: Bench, target: Target, running: Running): Promise<() => Promise<number>> {
  const pairs = await running.seed(bench.shape.pairs);
  const closed = { kind: 'closed', inFlight: bench.inFlight } as const;
  const full = await loadOnce(bench, target, running, pairs, { ...bench.shape, loop: closed });
  const open = { kind: 'open', rate: Math.round(full.ackedPerSecond / 2) } as const;
  return async () =>
    (await loadOnce(bench, target, running, pairs, { ...bench.shape, loop: open }, 1)).total.acked;
}

/** The same for people who connect, one after the other, with tokens that the server has not seen. */
export async function profileHandshakes(bench: Bench): Promise<void> {
  const work: Work = async (target, running, start) => {
    await shakeHands(bench, target, running, 20_000);
    await start();
    const { handshakes } = await shakeHands(bench, target, running, 200_000);
    // The load's own warm-up is profiled too, and not counted by it.
    const { warmupMs, measureMs } = bench.shape.timing;
    return (handshakes * (warmupMs + measureMs)) / measureMs;
  };
  // Placed as its row is: beside the server, PostgreSQL's work would show as the server's writing to it.
  await profiled(bench, [curbline, socketIoRelay], work, 'apart');
}

/** What idle sockets keep in the heap, by who allocated it. */
export async function profileMemory(bench: Bench): Promise<void> {
  const sockets = bench.quick ? 2_000 : 5_000;
  for (const target of bench.targets(curbline, socketIoRelay)) {
    await withServer(
      bench,
      target,
      'apart',
      async (running) => {
        const inspector = await Inspector.open(running.process);
        const start = () => inspector.ask('HeapProfiler.startSampling', { samplingInterval: 2_048 });
        await holdSockets(bench, target, running, [200, sockets], inspector, start);
        const { profile: kept } = (await inspector.ask('HeapProfiler.getSamplingProfile')) as {
          profile: { head: HeapNode };
        };
        inspector.close();
        bench.say(`\n# ${target.name}: bytes in the heap for each of ${sockets - 200} idle sockets`);
        for (const line of describeHeap(kept.head, sockets - 200)) bench.say(line);
      },
      { nodeArgs: ['--inspect=127.0.0.1:0'] },
    );
  }
}

/**
 * What outlives the young generation at half of the load, and waits for a full collection: two runs, one that counts what
 * only those free, and one that counts all that is allocated.
 */
export async function profileKept(bench: Bench): Promise<void> {
  await withServer(
    bench,
    curbline,
    'together',
    async (running) => {
      const inspector = await Inspector.open(running.process);
      const load = await halfLoad(bench, curbline, running);
      const sample = async (includeObjectsCollectedByMinorGC: boolean) => {
        const counted = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC };
        await inspector.ask('HeapProfiler.startSampling', { samplingInterval: 2_048, ...counted });
        const messages = await load();
        const { profile: found } = (await inspector.ask('HeapProfiler.stopSampling')) as {
          profile: { head: HeapNode };
        };
        return { head: found.head, messages };
      };
      const kept = await sample(false);
      const all = await sample(true);
      inspector.close();
      bench.say(
        '\n# curbline: bytes a message, allocated and kept until a full collection, by who allocated them',
      );
      for (const line of describeKept(kept, all)) bench.say(line);
    },
    { nodeArgs: ['--inspect=127.0.0.1:0'] },
  );
}

/** Loads a server, says when the profile begins, and answers how many messages or handshakes it is of. */
type Work = (target: Target, running: Running, start: () => Promise<void>) => Promise<number>;

/** Launches each server, runs the work on it from when it asks to start, and says what the work spent on what. */
async function profiled(
  bench: Bench,
  targets: readonly Target[],
  work: Work,
  placement: Placement = 'together',
): Promise<void> {
  for (const target of bench.targets(...targets)) {
    await withServer(
      bench,
      target,
      placement,
      async (running) => {
        const inspector = await Inspector.open(running.process);
        const count = await work(target, running, async () => {
          await inspector.ask('Profiler.enable');
          await inspector.ask('Profiler.setSamplingInterval', { interval: 200 });
          await inspector.ask('Profiler.start');
        });
        const stopped = (await inspector.ask('Profiler.stop')) as { profile: CpuProfile };
        inspector.close();
        const file = join(OUT, `${target.name}.cpuprofile`);
        writeFileSync(file, JSON.stringify(stopped.profile));
        bench.say(`\n# ${target.name}; ${file}`);
        for (const line of describeProfile(stopped.profile, count)) bench.say(line);
      },
      { nodeArgs: ['--inspect=127.0.0.1:0'] },
    );
  }
}
