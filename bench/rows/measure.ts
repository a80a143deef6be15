import { randomBytes } from 'node:crypto';
import type { MessagesResult, MessagesSpec, Pair } from '../load/spec.ts';
import { LOAD_CORE, SERVER_CORE, runLoad } from '../rig/process.ts';
import type { Postgres } from '../rig/postgres.ts';
import type { Running, Target } from '../targets/target.ts';

/** Where PostgreSQL runs: with the server that is measured, or with the load. */
export type Placement = 'together' | 'apart';

export interface Timing {
  warmupMs: number;
  measureMs: number;
}

export interface LoadShape {
  pairs: number;
  senders: 'driver' | 'both';
  textBytes: number;
  loop: MessagesSpec['loop'];
  timing: Timing;
}

export interface Sample extends MessagesResult {
  target: string;
  /** Cores' worth of work of programs which do not belong to the comparison. */
  disturbed: number;
  /** Microseconds of CPU for one acknowledged message. */
  serverUs: number;
  databaseUs: number;
  /** Rows that the database has more than before, to hold against what was acknowledged. */
  storedRows: number | null;
  whole: boolean;
  /** Messages for one commit of the database. */
  perCommit: number | null;
}

/** What every row needs to know of this run. */
export interface Bench {
  postgres: Postgres;
  rounds: number;
  quick: boolean;
  targets: (...all: Target[]) => Target[];
  shape: Omit<LoadShape, 'loop'>;
  inFlight: number;
  /** Messages a second where a look should not find half of the capacity by itself. */
  rate: number | undefined;
  /** More arguments for Node, of every server that is launched. */
  nodeArgs: string[];
  say: (line: string) => void;
}

/** More than this share of a core for others, and a measurement is made again. */
const CALM = 0.15;

/** Launches a server on its core, loads it once, checks that everything acknowledged is there, and stops it. */
export async function withServer<T>(
  bench: Bench,
  target: Target,
  placement: Placement,
  use: (running: Running) => Promise<T>,
  launch: { keep?: boolean; nodeArgs?: string[] } = {},
): Promise<T> {
  bench.postgres.pin(placement === 'together' ? SERVER_CORE : LOAD_CORE);
  const nodeArgs = [...bench.nodeArgs, ...(launch.nodeArgs ?? [])];
  const running = await target.launch({ core: SERVER_CORE, postgres: bench.postgres, ...launch, nodeArgs });
  try {
    return await use(running);
  } finally {
    await running.process.stop();
  }
}

/** One measurement; where other programs took too much of the machine meanwhile, the calmest of three. */
export async function loadOnce(
  bench: Bench,
  target: Target,
  running: Running,
  pairs: Pair[],
  shape: LoadShape,
  attempts = 3,
): Promise<Sample> {
  let best = await loadOnceAsItIs(bench, target, running, pairs, shape);
  for (let attempt = 2; attempt <= attempts && best.whole && best.disturbed > CALM; attempt += 1) {
    const next = await loadOnceAsItIs(bench, target, running, pairs, shape);
    if (!next.whole || next.disturbed < best.disturbed) best = next;
  }
  return best;
}

async function loadOnceAsItIs(
  bench: Bench,
  target: Target,
  running: Running,
  pairs: Pair[],
  shape: LoadShape,
): Promise<Sample> {
  const before = await running.stored();
  const result = await runLoad<MessagesResult>({
    mode: 'messages',
    port: running.port,
    dialect: target.dialect,
    tokenPlace: target.tokenPlace,
    watch: { server: running.process.pid, database: target.database === null ? null : bench.postgres.pid },
    pairs,
    senders: shape.senders,
    textBytes: shape.textBytes,
    loop: shape.loop,
    databaseUrl: target.database === null ? null : bench.postgres.url('postgres'),
    run: randomBytes(4).toString('hex'),
    ...shape.timing,
  });
  const after = await running.stored();
  const storedRows = before === null || after === null ? null : after - before;
  const { total } = result;
  const answered = total.acked + total.refused === total.sent;
  const told = total.delivered === total.acked && total.twice === 0;
  return {
    ...result,
    target: target.name,
    disturbed: result.cpu.others / result.seconds,
    serverUs: perMessage(result.cpu.server, result.acked),
    databaseUs: perMessage(result.cpu.database, result.acked),
    storedRows,
    whole: answered && told && total.refused === 0 && (storedRows === null || storedRows === total.acked),
    perCommit: result.commits === null ? null : result.acked / Math.max(1, result.commits),
  };
}

function perMessage(seconds: number, messages: number): number {
  return messages === 0 ? 0 : (seconds * 1e6) / messages;
}

/**
 * What comes now and then should have its share in every window, neither none of it nor all: full collections, autovacuum, and what the kernel
 * writes back of the tables, 30 seconds after it was written. So the load lasts until what the full load before it left behind is on the
 * disk, and then for two such half minutes.
 */
export function steady({ quick, shape: { timing } }: Bench): Timing {
  return quick ? timing : { warmupMs: 40_000, measureMs: 60_000 };
}
