import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Turn, TurnsResult, TurnsSpec } from '../load/spec.ts';
import { median, show, spread } from '../report/stats.ts';
import { SERVER_CORE, runLoad } from '../rig/process.ts';
import { curblineOn } from '../targets/curbline.ts';
import type { Running } from '../targets/target.ts';
import type { Bench } from './measure.ts';

const LOADS: readonly { title: string; loop: TurnsSpec['loop'] }[] = [
  { title: 'all send, one message in flight each', loop: { kind: 'closed' } },
  { title: '400 messages a second', loop: { kind: 'open', rate: 400 } },
];
const WITHIN_MS = 600_000;

/**
 * This checkout against another one, which is built: both run the whole time on one core with their database, and have short turns. A
 * machine that becomes half as fast for a second becomes so for both; what is left is a few per cent.
 */
export async function turns(bench: Bench, against: string | undefined): Promise<void> {
  if (against === undefined) throw new Error('turns compares two checkouts: --against <folder>');
  bench.postgres.pin(SERVER_CORE);
  const folders = { this: undefined, other: resolve(against) };
  const sides: { name: string; running: Running; pairs: Awaited<ReturnType<Running['seed']>> }[] = [];
  for (const [name, folder] of Object.entries(folders)) {
    const target = curblineOn(`bench_${name}`, folder);
    const running = await target.launch({ core: SERVER_CORE, postgres: bench.postgres });
    sides.push({ name, running, pairs: await running.seed(bench.shape.pairs) });
  }
  bench.postgres.pin(SERVER_CORE);
  for (const { title, loop } of LOADS) {
    const spec: TurnsSpec = {
      mode: 'turns',
      sides: sides.map(({ running, pairs }) => ({
        port: running.port,
        dialect: 'socket.io',
        tokenPlace: 'auth',
        server: running.process.pid,
        pairs,
      })),
      database: bench.postgres.pid,
      textBytes: bench.shape.textBytes,
      loop,
      // Who has just come may be sending again what another process kept, and is served with more care.
      restMs: 5_000,
      warmup: 4,
      turns: bench.quick ? 6 : 30,
      turnMs: loop.kind === 'open' ? 1_000 : 400,
      run: randomBytes(4).toString('hex'),
    };
    const { turns: found } = await runLoad<TurnsResult>(spec, WITHIN_MS);
    bench.say(`\n## ${title}, ${spec.turns} turns of ${spec.turnMs} ms each`);
    for (const [index, { name }] of sides.entries())
      bench.say(`  ${name.padEnd(8)} ${described(found[index]!)}`);
    bench.say(`  this / other: ${compared(found[0]!, found[1]!)}`);
  }
  for (const { running } of sides) await running.process.stop();
}

const FIGURES: readonly [keyof Turn, string][] = [
  ['perSecond', 'a second'],
  ['p50Us', 'p50 µs'],
  ['serverUs', 'server µs'],
  ['databaseUs', 'database µs'],
];

const described = (side: readonly Turn[]): string =>
  FIGURES.map(([figure, title]) => `${title} ${show(spread(side.map((turn) => turn[figure])))}`).join(' · ');

/** The median of the ratios of turns that followed each other, and the half of them in the middle. */
function compared(one: readonly Turn[], other: readonly Turn[]): string {
  return FIGURES.map(([figure, title]) => {
    const ratios = one
      .flatMap((turn, index) => turn[figure] / (other[index]?.[figure] ?? Number.NaN))
      .sort((a, b) => a - b);
    const at = (share: number) => (ratios[Math.floor(ratios.length * share)] ?? Number.NaN).toFixed(2);
    return `${title} ${median(ratios).toFixed(3)} (${at(0.25)}–${at(0.75)})`;
  }).join(' · ');
}
