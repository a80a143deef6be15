import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../load/tokens.ts';
import { residentBytes } from '../load/proc.ts';
import type { HandshakesResult } from '../load/spec.ts';
import { newRow, note, ratio, type Row } from '../report/row.ts';
import { median } from '../report/stats.ts';
import { Inspector } from '../rig/inspector.ts';
import { runLoad, startLoad } from '../rig/process.ts';
import { curbline } from '../targets/curbline.ts';
import { socketIoRelay, wsRelay } from '../targets/relays.ts';
import { tutorial } from '../targets/tutorial.ts';
import { TOKEN_SECRET, type Running, type Target } from '../targets/target.ts';
import { withServer, type Bench, type Timing } from './measure.ts';

/** The first sockets pay for compiled code and caches, so the slope is taken from here on. */
const FIRST = 200;
const SETTLE_MS = 3_000;

/** Resident memory of the server for each idle socket, after full garbage collections. */
export async function memory(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'memory',
    what: 'memory per idle authenticated socket (10,000), against bare socket.io',
    sense: 'at most',
    target: 1,
    beyond: 0.6,
  });
  const most = bench.quick ? 2_000 : 10_000;
  const steps = [FIRST, most * 0.25, most * 0.5, most * 0.75, most];
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const target of bench.targets(curbline, socketIoRelay, wsRelay, tutorial)) {
      const held = await withServer(
        bench,
        target,
        'apart',
        async (running) => {
          const inspector = await Inspector.open(running.process);
          return holdSockets(bench, target, running, steps, inspector).finally(() => inspector.close());
        },
        { nodeArgs: ['--inspect=127.0.0.1:0'] },
      );
      const first = held[0]!;
      const last = held.at(-1)!;
      const per = (figure: 'after' | 'before') =>
        (last[figure] - first[figure]) / (last.sockets - first.sockets) / 1024;
      note(row, target.name, {
        'KiB a socket': per('after'),
        'KiB a socket before collection': per('before'),
        'MiB with the first 200': first.after / 2 ** 20,
      });
      for (const each of held) note(row, target.name, { [`MiB at ${each.sockets}`]: each.after / 2 ** 20 });
      bench.say(
        `memory ${target.name}: ${per('after').toFixed(2)} KiB a socket (${per('before').toFixed(2)} before collection)`,
      );
    }
    ratio(row, 'curbline', 'socketio-relay', 'KiB a socket');
  }
  return row;
}

interface Held {
  sockets: number;
  before: number;
  after: number;
}

/** Opens sockets in steps and looks at the server's memory after each; `warm` runs after the first. */
export async function holdSockets(
  bench: Bench,
  target: Target,
  running: Running,
  steps: number[],
  inspector: Inspector,
  warm: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Held[]> {
  const pairs = await running.seed((steps.at(-1) ?? 0) / 2);
  const load = startLoad({
    mode: 'idle',
    port: running.port,
    dialect: target.dialect,
    tokenPlace: target.tokenPlace,
    watch: { server: running.process.pid, database: bench.postgres.pid },
    steps,
    tokens: pairs.flatMap((pair) => [pair.driver.token, pair.customer.token]),
  });
  const held: Held[] = [];
  try {
    const lines = createInterface({ input: load.child.stdout! });
    for (const sockets of steps) {
      const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(120_000) })) as [string];
      const { closed } = JSON.parse(line) as { closed: number };
      if (closed > 0) throw new Error(`${closed} of ${sockets} idle sockets were closed`);
      await sleep(SETTLE_MS);
      const before = residentBytes(running.process.pid).all;
      await inspector.collectGarbage();
      await sleep(500);
      held.push({ sockets, before, after: residentBytes(running.process.pid).all });
      if (held.length === 1) await warm();
      load.child.stdin?.write('next\n');
    }
    return held;
  } finally {
    await load.stop();
  }
}

/** Each long enough for some thousand handshakes, and all of a round for the machine to change its speed many times. */
const TURNS = 10;
const TURN = { warmupMs: 500, measureMs: 2_000 };
/** More than any server here greets in a turn. */
const PEOPLE_A_TURN = 20_000;
const PEOPLE_WHO_COME_BACK = 5_000;

/**
 * Connections a second, each from TCP to Socket.IO's answer, with a token never seen before, and with tokens of people who come back. The servers are
 * there the whole time, on one core, and have turns: a machine that becomes half as fast for half a minute does so for both.
 */
export async function handshakes(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'handshakes',
    what: 'handshakes a second with token check, against bare socket.io without',
    sense: 'at least',
    target: 0.9,
    beyond: 1.5,
  });
  for (let round = 1; round <= bench.rounds; round += 1) {
    await withServers(bench, bench.targets(curbline, socketIoRelay), async (sides) => {
      for (const side of sides) await greet(bench, side, 'early', bench.shape.timing);
      const turns: HandshakesResult[][] = sides.map(() => []);
      for (let turn = 1; turn <= (bench.quick ? 2 : TURNS); turn += 1) {
        for (const [at, side] of sides.entries())
          turns[at]?.push(await greet(bench, side, `turn-${turn}`, TURN));
      }
      for (const [at, { target }] of sides.entries()) noteTurns(bench, row, target, turns[at] ?? []);
      const [ours, bare] = turns;
      if (ours && bare)
        row.ratios.push(median(ours.map((turn, at) => turn.perSecond / (bare[at]?.perSecond ?? 0))));
      for (const { target, running } of sides) {
        if (target.tokenPlace === 'none') continue;
        const again = await shakeHands(bench, target, running, PEOPLE_WHO_COME_BACK);
        note(row, target.name, { 'per second, 5,000 people coming back': again.perSecond });
        bench.say(`handshakes ${target.name}, coming back: ${Math.round(again.perSecond)}/s`);
      }
    });
  }
  return row;
}

interface Side {
  readonly target: Target;
  readonly running: Running;
}

/** All of these servers at once, each on the server's core. */
function withServers<T>(
  bench: Bench,
  [target, ...others]: readonly Target[],
  use: (sides: readonly Side[]) => Promise<T>,
): Promise<T> {
  if (target === undefined) return use([]);
  return withServer(bench, target, 'apart', (running) =>
    withServers(bench, others, (sides) => use([{ target, running }, ...sides])),
  );
}

const greet = (bench: Bench, { target, running }: Side, people: string, timing: Timing) =>
  shakeHands(bench, target, running, PEOPLE_A_TURN, { timing, people });

function noteTurns(bench: Bench, row: Row, target: Target, turns: readonly HandshakesResult[]): void {
  const of = (figure: (turn: HandshakesResult) => number) => median(turns.map(figure));
  const figures = {
    'per second': of(({ perSecond }) => perSecond),
    'p99 ms': of(({ latency }) => latency.p99 / 1000),
    'server µs': of(({ cpu, handshakes: count }) => (cpu.server * 1e6) / count),
    failed: turns.reduce((sum, { failed }) => sum + failed, 0),
    'load core': of(({ cpu, seconds }) => cpu.load / seconds),
  };
  note(row, target.name, figures);
  bench.say(
    `handshakes ${target.name}: ${Math.round(figures['per second'])}/s, server ${Math.round(figures['server µs'])} µs, p99 ${figures['p99 ms']} ms, ${figures.failed} failed, load ${figures['load core'].toFixed(2)}`,
  );
}

/** People connect and leave, so many at a time, each with a token of their own until these are used up. */
export function shakeHands(
  bench: Bench,
  target: Target,
  running: Running,
  count: number,
  { timing = bench.shape.timing, people = 'visitor' }: { timing?: Timing; people?: string } = {},
): Promise<HandshakesResult> {
  const checked = target.tokenPlace !== 'none';
  const tokens = checked
    ? Array.from({ length: count }, (_, i) =>
        mintToken(TOKEN_SECRET, `${people}-${i}`, i % 2 === 0 ? 'driver' : 'customer'),
      )
    : [];
  return runLoad<HandshakesResult>({
    mode: 'handshakes',
    port: running.port,
    dialect: target.dialect,
    tokenPlace: target.tokenPlace,
    watch: { server: running.process.pid, database: bench.postgres.pid },
    tokens,
    concurrency: 64,
    ...timing,
  });
}
