import pg from 'pg';
import type { BatchSide, Encoding, TurnsResult } from '../load/spec.ts';
import { median, show, spread } from '../report/stats.ts';
import { SERVER_CORE, runLoad } from '../rig/process.ts';
import { curblineOn } from '../targets/curbline.ts';
import type { Bench } from './measure.ts';
import { APPEND_OPTIONS, WITHIN_MS, calmTurns } from './turns.ts';

const DATABASE = 'bench_encodings';
const ENCODINGS: readonly Encoding[] = ['arrays', 'unnest', 'unnest, as texts', 'JSON', 'COPY'];
/** Some at half of the capacity, most under full load. */
const SIZES = [1, 10, 50, 200, 500];

/** What it costs to hand a batch to PostgreSQL, by the way its entries travel: CPU of who asks and of the backend. */
export async function encodings(bench: Bench): Promise<void> {
  const running = await curblineOn(DATABASE).launch({ core: SERVER_CORE, postgres: bench.postgres });
  await running.seed(bench.shape.pairs);
  await running.process.stop();
  bench.postgres.pin(SERVER_CORE);
  const databaseUrl = bench.postgres.url(DATABASE);
  let stored = 0;
  for (const size of SIZES) {
    const sides = ENCODINGS.map((encoding): BatchSide => ({
      kind: 'batch',
      databaseUrl,
      options: APPEND_OPTIONS,
      encoding,
      size,
    }));
    const { turns, answered } = await runLoad<TurnsResult>(
      {
        ...calmTurns(bench),
        sides,
        loop: { kind: 'closed' },
        restMs: 0,
        turnMs: 500,
        turns: bench.quick ? 3 : 30,
      },
      WITHIN_MS,
    );
    stored += answered.reduce((sum, count) => sum + count, 0);
    bench.say(`\n## batches of ${size}, a message`);
    const costs = turns.map((side) => side.map((turn) => turn.serverUs + turn.databaseUs));
    for (const [index, encoding] of ENCODINGS.entries()) {
      const side = turns[index] ?? [];
      const ratio = median((costs[index] ?? []).map((cost, turn) => cost / (costs[0]?.[turn] ?? Number.NaN)));
      bench.say(
        `  ${encoding.padEnd(16)} asker µs ${show(spread(side.map((turn) => turn.serverUs)))} · database µs ${show(spread(side.map((turn) => turn.databaseUs)))} · both, of arrays ${ratio.toFixed(2)} ×`,
      );
    }
  }
  await check(databaseUrl, stored);
}

/** Each way has stored what it was given, and each booking's log is without gaps. */
async function check(databaseUrl: string, stored: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ rows: string; gaps: string }>(`
    select sum(kept) as rows, count(*) filter (where kept <> last or last <> last_seq) as gaps
    from (select booking_no, count(*) as kept, max(seq) as last from messages group by booking_no) log
    join bookings on no = booking_no`);
  await client.end();
  const [found] = rows;
  if (Number(found?.rows) !== stored || Number(found?.gaps) !== 0)
    throw new Error(`stored ${found?.rows} of ${stored}, with gaps in ${found?.gaps} bookings`);
}
