import { newRow, note, ratio, type Row } from '../report/row.ts';
import { curblineOn } from '../targets/curbline.ts';
import { socketIoRelay } from '../targets/relays.ts';
import type { Target } from '../targets/target.ts';
import { loadOnce, withServer, type Bench, type Timing } from './measure.ts';
import { noteSample } from './throughput.ts';

/**
 * So many messages under way at any time, whatever the size: the batches of the log stay alike, and so does what
 * one socket gets in one turn. What changes is the size alone.
 */
const LOOP = { kind: 'rotating', inFlight: 20 } as const;
const FEW_BOOKINGS = 10;
const MANY_BOOKINGS = 2_000;
const MESSAGES_A_BOOKING = 20;
const FILL_AT_ONCE = 25_000;

/** CPU of server and database per message, from few live bookings to many, and from a small log to a large one. */
export async function scale(bench: Bench): Promise<Row> {
  const row = newRow({
    name: 'scale',
    what: 'cost per message from 10 to 2,000 live bookings, and from 1 thousand to 10 million stored messages',
    sense: 'at most',
    target: 1.2,
    beyond: 1.05,
  });
  const [asked] = bench.targets(curblineOn('bench_small'));
  if (asked === undefined) return row;
  await byBookings(bench, row, asked);
  await byLog(bench, row);
  // What sockets that are not in the core's caches cost anybody: the same load on a server that only passes it on.
  for (const relay of bench.targets(socketIoRelay)) await byBookings(bench, row, relay, 'relay, ');
  const median = (above: string, below: string) => medianRatio(row, above, below).toFixed(3);
  row.notes.push(
    `bookings: ${median(`${manyBookings(bench)} bookings`, `${FEW_BOOKINGS} bookings`)} ×; stored messages: ${median(largeName(bench), 'small log')} ×; the ratio above is the worse of the two in each round`,
  );
  if (bench.targets(socketIoRelay).length > 0) {
    const relayed = median(`relay, ${manyBookings(bench)} bookings`, `relay, ${FEW_BOOKINGS} bookings`);
    row.notes.push(`bookings with the relay: ${relayed} ×`);
  }
  return row;
}

async function byBookings(bench: Bench, row: Row, target: Target, prefix = ''): Promise<void> {
  const many = manyBookings(bench);
  await withServer(bench, target, 'together', async (running) => {
    const pairs = await running.seed(many);
    for (let round = 1; round <= bench.rounds; round += 1) {
      // One order after the other, so that a machine that becomes faster or slower does it to both.
      for (const count of round % 2 === 1 ? [FEW_BOOKINGS, many] : [many, FEW_BOOKINGS]) {
        const sample = await loadOnce(bench, target, running, pairs.slice(0, count), {
          ...bench.shape,
          timing: settled(bench),
          loop: LOOP,
        });
        const named = { ...target, name: `${prefix}${count} bookings` };
        noteSample(bench, row, named, sample);
        note(row, named.name, { cost: sample.serverUs + sample.databaseUs });
      }
      if (prefix === '') ratio(row, `${many} bookings`, `${FEW_BOOKINGS} bookings`, 'cost');
    }
  });
}

/** Four thousand who came in this moment, and as many who left, are still worked on for some seconds: that is not what a message costs. */
const settled = ({ quick, shape: { timing } }: Bench): Timing =>
  quick ? timing : { warmupMs: 12_000, measureMs: 12_000 };

async function byLog(bench: Bench, row: Row): Promise<void> {
  const sizes = [
    { name: 'small log', rows: 1_000, target: curblineOn('bench_small') },
    { name: largeName(bench), rows: bench.quick ? 100_000 : 10_000_000, target: curblineOn('bench_large') },
  ];
  for (const { target, rows } of sizes) {
    // One launch makes the tables; old bookings come before the live ones, as they would.
    await withServer(bench, target, 'apart', async () => undefined);
    await fill(bench, target.database ?? '', rows);
  }
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const { name, target } of sizes) {
      const sample = await withServer(
        bench,
        target,
        'together',
        async (running) => {
          const pairs = await running.seed(bench.shape.pairs);
          return loadOnce(bench, target, running, pairs, {
            ...bench.shape,
            loop: LOOP,
          });
        },
        { keep: true },
      );
      noteSample(bench, row, { ...target, name }, sample);
      note(row, name, { cost: sample.serverUs + sample.databaseUs });
    }
    const worse = Math.max(
      row.ratios[round - 1] ?? 0,
      lastCost(row, largeName(bench)) / lastCost(row, 'small log'),
    );
    row.ratios[round - 1] = worse;
  }
  for (const { target } of sizes) await bench.postgres.drop(target.database ?? '');
}

const manyBookings = (bench: Bench): number => (bench.quick ? MANY_BOOKINGS / 10 : MANY_BOOKINGS);
const largeName = (bench: Bench): string => (bench.quick ? '100 thousand rows' : '10 million rows');
const lastCost = (row: Row, name: string): number => row.figures[name]?.['cost']?.at(-1) ?? Number.NaN;

function medianRatio(row: Row, above: string, below: string): number {
  const costs = (name: string) => row.figures[name]?.['cost'] ?? [];
  const ratios = costs(above).map((cost, i) => cost / (costs(below)[i] ?? Number.NaN));
  return ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? Number.NaN;
}

/** Old bookings with their messages, straight into Curbline's tables. */
async function fill(bench: Bench, database: string, rows: number): Promise<void> {
  const sql = (text: string, values: unknown[] = []) => bench.postgres.query(database, text, values);
  await sql(`insert into customers (id) values ('someone-before') on conflict do nothing`);
  const bookings = Math.ceil(rows / MESSAGES_A_BOOKING);
  for (let from = 1; from <= bookings; from += FILL_AT_ONCE) {
    const to = Math.min(bookings, from + FILL_AT_ONCE - 1);
    await sql(
      `with old as (
         insert into bookings (id, status, customer_no, last_seq, closing_told, active_at)
         select 'old-' || i, 'completed', (select no from customers where id = 'someone-before'), $3::int, true, now() - interval '1 day'
         from generate_series($1::int, $2::int) i
         returning no, customer_no
       )
       insert into messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
       select no, customer_no, now() - interval '1 day', seq, 0, 0, gen_random_uuid(), gen_random_uuid(), '{"text":"' || repeat('x', 100) || '"}'
       from old, generate_series(1, $3::int) seq`,
      [from, to, MESSAGES_A_BOOKING],
    );
    bench.say(`scale: ${(to * MESSAGES_A_BOOKING).toLocaleString('en-US')} messages filled in`);
  }
  await sql('vacuum analyze messages');
  await sql('vacuum analyze bookings');
  await sql('checkpoint');
}
