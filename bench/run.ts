// npm run bench -- [rows …] [--quick] [--rounds N] [--only server,server] [--pairs N] [--in-flight N] [--against folder] [--rate N] [--node-args=args]
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writePlots } from './report/plots.ts';
import { printRow, printTable, type Row } from './report/row.ts';
import { OUT } from './rig/paths.ts';
import { Postgres } from './rig/postgres.ts';
import { stopAll } from './rig/process.ts';
import { allRows } from './rows/all.ts';
import { checks } from './rows/checks.ts';
import { encodings } from './rows/encodings.ts';
import type { Bench } from './rows/measure.ts';
import { pauses } from './rows/pauses.ts';
import { profile, profileHalf, profileHandshakes, profileKept, profileMemory } from './rows/profile.ts';
import { startUp } from './rows/start.ts';
import { trace } from './rows/trace.ts';
import { statements, turns } from './rows/turns.ts';
import { curblineBuilt } from './targets/curbline.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    pairs: { type: 'string', default: '200' },
    'in-flight': { type: 'string', default: '1' },
    against: { type: 'string' },
    rate: { type: 'string' },
    'node-args': { type: 'string', default: '' },
  },
});
const profiles: Record<string, (bench: Bench) => Promise<void>> = {
  profile,
  'profile-half': profileHalf,
  'profile-handshakes': profileHandshakes,
  'profile-kept': profileKept,
  'profile-memory': profileMemory,
  checks,
  encodings,
  pauses,
  start: startUp,
  statements,
  trace,
  turns: (bench) => turns(bench, options.against),
};
const RESULTS = join(OUT, 'results.json');
const say = (line: string) => process.stdout.write(`${line}\n`);
const whole = (name: string, value: string, max: number): number => {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Error(`--${name} is a whole number from 1 to ${max}`);
};

function kept(): Map<string, Row> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Row>));
  } catch {
    // The first run has nothing to add to.
    return new Map();
  }
}

async function main(): Promise<number> {
  const results = kept();
  if (positionals[0] === 'plots') {
    for (const file of writePlots(results)) say(file);
    return 0;
  }
  if (positionals[0] === 'table') {
    say(printTable([...results.values()].filter((row) => row.name !== 'curve')));
    return 0;
  }
  const unknown = positionals.find((name) => profiles[name] === undefined && allRows[name] === undefined);
  if (unknown !== undefined)
    throw new Error(
      `no row ${unknown}: ${[...Object.keys(allRows), ...Object.keys(profiles)].join(', ')}, table, plots`,
    );
  const names = positionals.length > 0 ? positionals : Object.keys(allRows);
  const only = options.only?.split(',');
  if (!curblineBuilt()) say('Curbline is not built: only the others are measured');
  const postgres = await Postgres.start();
  const interrupted = () =>
    void stopAll()
      .then(() => postgres.stop())
      .then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  say(
    `${cpus()[0]?.model.trim()} × ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}, PostgreSQL ${postgres.version}`,
  );
  const timing = options.quick
    ? { warmupMs: 1_500, measureMs: 3_000 }
    : { warmupMs: 12_000, measureMs: 8_000 };
  const bench: Bench = {
    postgres,
    rounds: whole('rounds', options.rounds, 50),
    quick: options.quick,
    targets: (...all) =>
      all.filter(
        (target) =>
          (target.name !== 'curbline' || curblineBuilt()) &&
          (only === undefined || only.includes(target.name)),
      ),
    shape: { pairs: whole('pairs', options.pairs, 5_000), senders: 'both', textBytes: 100, timing },
    nodeArgs: options['node-args'].split(' ').filter((arg) => arg !== ''),
    rate: options.rate === undefined ? undefined : whole('rate', options.rate, 100_000),
    inFlight: whole('in-flight', options['in-flight'], 1_000),
    say,
  };
  const rows: Row[] = [];
  try {
    for (const name of names) {
      const look = profiles[name];
      if (look !== undefined) {
        await look(bench);
        continue;
      }
      const row = await allRows[name]!(bench);
      rows.push(row);
      results.set(name, row);
      writeFileSync(RESULTS, JSON.stringify(Object.fromEntries(results), null, 1));
      say(printRow(row));
    }
  } finally {
    await stopAll();
    await postgres.stop();
  }
  say(`\n${printTable(rows.filter((row) => row.name !== 'curve'))}`);
  for (const file of writePlots(results)) say(file);
  return rows.every((row) => row.whole) ? 0 : 1;
}

process.exitCode = await main();
