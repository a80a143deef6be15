import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Pair, ServerSide, StatementSide, Turn, TurnsResult, TurnsSpec } from '../load/spec.ts';
import { median, show, spread } from '../report/stats.ts';
import { ROOT } from '../rig/paths.ts';
import { SERVER_CORE, runLoad } from '../rig/process.ts';
import { curblineOn } from '../targets/curbline.ts';
import type { Running, Target } from '../targets/target.ts';
import type { Bench } from './measure.ts';

const LOADS: readonly { title: string; loop: TurnsSpec['loop'] }[] = [
  { title: 'all send, one message in flight each', loop: { kind: 'closed' } },
  { title: 'all send in turn, 20 messages in flight', loop: { kind: 'rotating', inFlight: 20 } },
  { title: '400 messages a second', loop: { kind: 'open', rate: 400 } },
];
export const WITHIN_MS = 600_000;
/** Messages or commits a second where what one costs alone is asked. */
const CALM_RATE = 400;

/** Turns of a second at 400 a second. */
export const calmTurns = (bench: Bench): Omit<TurnsSpec, 'sides'> => ({
  mode: 'turns',
  database: bench.postgres.pid,
  textBytes: bench.shape.textBytes,
  loop: { kind: 'open', rate: CALM_RATE },
  // Who has just come may be sending again what another process kept, and is served with more care.
  restMs: 5_000,
  warmup: 2,
  turns: bench.quick ? 3 : 15,
  turnMs: 1_000,
  run: randomBytes(4).toString('hex'),
});

export const serverSide = (target: Target, running: Running, pairs: Pair[]): ServerSide => ({
  kind: 'server',
  port: running.port,
  dialect: target.dialect,
  tokenPlace: target.tokenPlace,
  server: running.process.pid,
  pairs,
});

const statement = (
  databaseUrl: string,
  sql: string,
  values: StatementSide['values'],
  rest: Partial<StatementSide> = {},
): StatementSide => ({
  kind: 'statement',
  databaseUrl,
  options: '',
  before: [],
  after: [],
  sql,
  types: [],
  values,
  ...rest,
});

const BODY = JSON.stringify({ text: 'x'.repeat(100) });

/** The price of durability alone: one prepared INSERT that commits by itself. */
export const plainCommit = (databaseUrl: string): StatementSide =>
  statement(databaseUrl, 'insert into plain_commit (booking, body) values ($1, $2)', ['booking-1', BODY], {
    before: [
      'create table if not exists plain_commit (id bigint generated always as identity primary key, booking text not null, body jsonb not null, at timestamptz not null default now())',
    ],
    after: ['drop table plain_commit'],
  });

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
      ...calmTurns(bench),
      sides: sides.map(({ running, pairs }) => serverSide(curblineOn(''), running, pairs)),
      loop,
      warmup: 4,
      turns: bench.quick ? 6 : 30,
      turnMs: loop.kind === 'open' ? 1_000 : 400,
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

/** As the connection that appends is opened. */
export const APPEND_OPTIONS =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off';
const APPEND_VALUES = ['booking', 'epoch', 'driver', 1, 'uuid', 0, 1, 'uuid', BODY];
const STATEMENTS = 'packages/server/dist/store/append-statements.js';

/** What the statement of a message that comes alone costs PostgreSQL, and its parts, against a plain commit. */
export async function statements(bench: Bench): Promise<void> {
  const database = 'bench_statements';
  const running = await curblineOn(database).launch({ core: SERVER_CORE, postgres: bench.postgres });
  await running.seed(bench.shape.pairs);
  await running.process.stop();
  bench.postgres.pin(SERVER_CORE);
  const url = bench.postgres.url(database);
  const { STORE_ONE, STORE_ONE_IF_NEW } = (await import(join(ROOT, STATEMENTS))) as Record<
    string,
    { text: string; types: number[] }
  >;
  const ours = (sql: string, values: StatementSide['values'], rest: Partial<StatementSide> = {}) =>
    statement(url, sql, values, { options: APPEND_OPTIONS, ...rest });
  const one = (asked: { text: string; types: number[] } | undefined, rest: Partial<StatementSide> = {}) =>
    ours(asked?.text ?? '', APPEND_VALUES, { types: asked?.types ?? [], ...rest });
  const sides: Record<string, StatementSide> = {
    'a plain commit': plainCommit(url),
    'only the head of a booking': ours(
      'UPDATE bookings SET last_seq = last_seq + 1, active_at = clock_timestamp() WHERE no = $1 AND epoch = $2',
      ['booking', 'epoch'],
    ),
    'only a row of the log': ours(
      'INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body) VALUES ($1::bigint + 1000000, $2, clock_timestamp(), $3, 1, 0, $4, $5, $6)',
      ['booking', 'driver', 'next', 'uuid', 'uuid', BODY],
    ),
    'a message': one(STORE_ONE),
    'the same, looked for before': one(STORE_ONE_IF_NEW),
    'the same, without the triggers of foreign keys': one(STORE_ONE, {
      before: ['SET session_replication_role = replica'],
    }),
  };
  const { turns: found } = await runLoad<TurnsResult>(
    { ...calmTurns(bench), sides: Object.values(sides), restMs: 0, turnMs: 500, turns: bench.quick ? 4 : 30 },
    WITHIN_MS,
  );
  const [plain = []] = found;
  for (const [index, name] of Object.keys(sides).entries()) {
    const side = found[index] ?? [];
    const of = (figure: keyof Turn) => show(spread(side.map((turn) => turn[figure])));
    const ratio = median(side.map(({ p50Us }, turn) => p50Us / (plain[turn]?.p50Us ?? Number.NaN)));
    bench.say(
      `  ${name.padEnd(48)} p50 µs ${of('p50Us')} · database µs ${of('databaseUs')} · ${ratio.toFixed(2)} ×`,
    );
  }
}
