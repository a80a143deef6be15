import { newRow, note, ratio, type Row } from '../report/row.ts';
import { curbline } from '../targets/curbline.ts';
import { socketIoRelay, wsRelay } from '../targets/relays.ts';
import { tutorial, tutorialLean } from '../targets/tutorial.ts';
import type { Target } from '../targets/target.ts';
import { loadOnce, withServer, type Bench, type Placement, type Sample } from './measure.ts';

/** Stored and delivered messages a second with server and PostgreSQL on one core, the load on the other. */
export async function throughput(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'throughput',
    what: "stored messages a second, server + PostgreSQL on one core, against the tutorial's gateway",
    sense: 'at least',
    target: 10,
    beyond: 15,
  });
  const targets = bench.targets(curbline, tutorial, tutorialLean, socketIoRelay, wsRelay);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of targets) noteSample(bench, row, target, await closed(bench, target, 'together'));
    ratio(row, 'curbline', 'tutorial', 'per second');
  }
  return row;
}

/** Messages a second for one core of the server alone, PostgreSQL beside the load. */
export async function relay(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'relay',
    what: 'stored messages a second per server core (PostgreSQL on the other), against the bare socket.io relay',
    sense: 'at least',
    target: 1,
    beyond: 1.5,
  });
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of bench.targets(curbline, socketIoRelay)) {
      const sample = await closed(bench, target, 'apart');
      noteSample(bench, row, target, sample);
      note(row, target.name, { 'per server core second': sample.acked / sample.cpu.server });
    }
    ratio(row, 'curbline', 'socketio-relay', 'per server core second');
  }
  const rate = (name: string) => row.figures[name]?.['per second'] ?? [];
  const wall = rate('curbline').map((value, i) => value / (rate('socketio-relay')[i] ?? Number.NaN));
  if (wall.length > 0)
    row.notes.push(
      `by the clock, with PostgreSQL and the load sharing the other core: ${wall.map((w) => w.toFixed(2)).join(', ')} ×`,
    );
  return row;
}

function closed(bench: Bench, target: Target, placement: Placement): Promise<Sample> {
  return withServer(bench, target, placement, async (running) => {
    const pairs = await running.seed(bench.shape.pairs);
    return loadOnce(bench, target, running, pairs, {
      ...bench.shape,
      loop: { kind: 'closed', inFlight: bench.inFlight },
    });
  });
}

export function noteSample(bench: Bench, row: Row, target: Target, sample: Sample): void {
  row.whole &&= sample.whole;
  if (!sample.whole)
    row.notes.push(
      `${target.name}: ${JSON.stringify({ ...sample.total, rows: sample.storedRows })} ${sample.firstRefusal ?? ''}`,
    );
  const figures = {
    'per second': sample.ackedPerSecond,
    'server µs': sample.serverUs,
    'database µs': sample.databaseUs,
    'p50 ack ms': sample.ack.p50 / 1000,
    'p99 delivery ms': sample.delivery.p99 / 1000,
    ...(sample.perCommit === null ? {} : { 'per commit': sample.perCommit }),
    'load core': sample.cpu.load / sample.seconds,
    disturbed: sample.disturbed,
  };
  note(row, target.name, figures);
  bench.say(
    `${row.name} ${target.name}: ${Math.round(sample.ackedPerSecond)}/s, server ${sample.serverUs.toFixed(1)} µs, database ${sample.databaseUs.toFixed(1)} µs, ` +
      `ack p50 ${figures['p50 ack ms']} ms, delivery p99 ${figures['p99 delivery ms']} ms, load ${(figures['load core'] * 100).toFixed(0)} %, disturbed ${(figures.disturbed * 100).toFixed(0)} %` +
      (sample.storedRows === null ? '' : `, ${sample.storedRows} rows for ${sample.total.acked} acks`),
  );
}
