import { newRow, note, ratio, type Row } from '../report/row.ts';
import type { Turn, TurnsResult } from '../load/spec.ts';
import { median } from '../report/stats.ts';
import { runLoad } from '../rig/process.ts';
import { curbline } from '../targets/curbline.ts';
import { socketIoRelay } from '../targets/relays.ts';
import { tutorial } from '../targets/tutorial.ts';
import { loadOnce, steady, withServer, type Bench } from './measure.ts';
import { timeLine } from './pauses.ts';
import { noteSample } from './throughput.ts';
import { calmTurns, plainCommit, serverSide } from './turns.ts';

const LATE_US = 30_000;

/** p99 from send to delivery at half of what each server can do, found in the same launch. */
export async function latency(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'latency',
    what: "p99 from send to delivery at half of its own capacity, against the tutorial's gateway at half of its own",
    sense: 'at most',
    target: 0.5,
    beyond: 0.25,
  });
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of bench.targets(curbline, tutorial)) {
      await withServer(bench, target, 'together', async (running) => {
        const pairs = await running.seed(bench.shape.pairs);
        const full = await loadOnce(bench, target, running, pairs, {
          ...bench.shape,
          loop: { kind: 'closed', inFlight: bench.inFlight },
        });
        const rate = Math.round(full.ackedPerSecond / 2);
        const half = await loadOnce(bench, target, running, pairs, {
          ...bench.shape,
          timing: steady(bench),
          loop: { kind: 'open', rate },
        });
        row.whole &&= full.whole;
        noteSample(bench, row, target, half);
        // Where one message in a hundred was late, one pause may have made it so, or the whole window.
        if (half.delivery.p99 > LATE_US) for (const line of timeLine(half)) bench.say(line);
        note(row, target.name, {
          capacity: full.ackedPerSecond,
          'p50 delivery ms': half.delivery.p50 / 1000,
        });
      });
    }
    ratio(row, 'curbline', 'tutorial', 'p99 delivery ms');
  }
  return row;
}

/**
 * p50 from send to stored ack at 400 messages a second, against one plain commit at the same rate. The two take turns of a second: a disk that
 * becomes slower does so for both.
 */
export async function ack(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'ack',
    what: 'p50 from send to stored ack at 400 messages a second, against one plain commit of that database',
    sense: 'at most',
    target: 1.5,
    beyond: 1.1,
  });
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of bench.targets(curbline, tutorial)) {
      await withServer(bench, target, 'together', async (running) => {
        const pairs = await running.seed(bench.shape.pairs);
        // A server that has run for a day has compiled its code: at this rate that would take minutes.
        const warm = { ...bench.shape, timing: { warmupMs: 500, measureMs: 3_000 } };
        await loadOnce(bench, target, running, pairs, { ...warm, loop: { kind: 'closed', inFlight: 1 } });
        const before = await running.stored();
        const database = bench.postgres.url(target.database ?? 'postgres');
        const { turns, answered } = await runLoad<TurnsResult>({
          ...calmTurns(bench),
          sides: [serverSide(target, running, pairs), plainCommit(database)],
        });
        const stored = await running.stored();
        row.whole &&= before !== null && stored !== null && stored - before === answered[0];
        const [messages = [], commits = []] = turns;
        const of = (side: Turn[], figure: keyof Turn) => median(side.map((turn) => turn[figure]));
        note(row, target.name, {
          'p50 ack µs': of(messages, 'p50Us'),
          'server µs': of(messages, 'serverUs'),
          'database µs': of(messages, 'databaseUs'),
        });
        note(row, `commit (${target.name})`, {
          'p50 ack µs': of(commits, 'p50Us'),
          'database µs': of(commits, 'databaseUs'),
        });
        const against = median(
          messages.map(({ p50Us }, turn) => p50Us / (commits[turn]?.p50Us ?? Number.NaN)),
        );
        note(row, target.name, { 'of a commit': against });
        if (target.name === curbline.name) row.ratios.push(against);
        bench.say(
          `ack ${target.name}: ${of(messages, 'p50Us')} µs, a plain commit ${of(commits, 'p50Us')} µs, ${against.toFixed(2)} ×`,
        );
      });
    }
  }
  return row;
}

/** Of what each server can do, found in the same launch. */
const SHARES = [0.05, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9];

/** Latency and batch size at rising load: the figures behind two plots. No bound to hold. */
export async function curve(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'curve',
    what: 'latency and batch size against load',
    sense: 'at least',
    target: 0,
    beyond: 0,
  });
  // Compiled by the full load before them.
  const settled = { ...bench.shape.timing, warmupMs: bench.shape.timing.warmupMs / 3 };
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of bench.targets(curbline, tutorial, socketIoRelay)) {
      await withServer(bench, target, 'together', async (running) => {
        const pairs = await running.seed(bench.shape.pairs);
        const full = await loadOnce(bench, target, running, pairs, {
          ...bench.shape,
          loop: { kind: 'closed', inFlight: bench.inFlight },
        });
        for (const share of SHARES) {
          const rate = Math.max(20, Math.round(full.ackedPerSecond * share));
          const sample = await loadOnce(bench, target, running, pairs, {
            ...bench.shape,
            timing: settled,
            loop: { kind: 'open', rate },
          });
          noteSample(bench, row, target, sample);
          note(row, target.name, {
            share,
            offered: rate,
            'p50 delivery ms': sample.delivery.p50 / 1000,
          });
        }
      });
    }
  }
  return row;
}
