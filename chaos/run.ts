// npm run chaos -- --seed N --minutes M [--faults a,b]   one run
// npm run chaos -- --prove [bug …]                       each planted bug must turn the checker red
// npm run chaos -- --kill-cycles N | --power-cycles N    fast loops on the embedded database
// npm run chaos -- --plot <folder of --kill-cycles>      messages in flight around the blows
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { CAST, PROCESSES } from './cast.ts';
import { killCycles } from './cycles/kill.ts';
import { powerCycles } from './cycles/power.ts';
import { allFaults } from './faults/all.ts';
import type { Cast, Fault } from './faults/fault.ts';
import { plotCycles } from './plot/plot.ts';
import { prove } from './prove.ts';
import { whyNoNetns } from './rig/netns.ts';
import { isRoot, say } from './rig/shell.ts';
import { drawSchedule, printSchedule } from './schedule.ts';
import { runSuite } from './suite.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '2' },
    faults: { type: 'string' },
    bug: { type: 'string' },
    prove: { type: 'boolean', default: false },
    'kill-cycles': { type: 'string' },
    'power-cycles': { type: 'string' },
    /** Power loss without synchronous commits: the control, which has to lose messages. */
    unsafe: { type: 'boolean', default: false },
    plot: { type: 'string' },
    /** Prints the schedule and does nothing. */
    dry: { type: 'boolean', default: false },
  },
});

function number(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name} is a number`);
}

function chosen(): readonly Fault[] {
  if (options.faults === undefined) return allFaults;
  return options.faults
    .split(',')
    .filter(Boolean)
    .map((name) => {
      const fault = allFaults.find((one) => one.name === name);
      if (fault === undefined)
        throw new Error(`no fault ${name}: ${allFaults.map((one) => one.name).join(', ')}`);
      return fault;
    });
}

/** What this machine allows; the rest is left out aloud, at its place in the schedule. */
function possible(all: readonly Fault[], noNetns: string | undefined): readonly Fault[] {
  const noStrace = spawnSync('strace', ['-V']).status !== 0 ? 'there is no strace' : undefined;
  const why = (fault: Fault): string | undefined => {
    if (fault.needs === undefined) return undefined;
    if (!isRoot) return 'this is not root';
    return fault.needs === 'netns' ? noNetns : fault.needs === 'strace' ? noStrace : undefined;
  };
  for (const fault of all) if (why(fault) !== undefined) say(`left out: ${fault.name}: ${why(fault)}`);
  return all.filter((fault) => why(fault) === undefined);
}

async function one(seed: number): Promise<boolean> {
  const lengthMs = number('minutes', options.minutes, 2) * 60_000;
  const cast: Cast = { clients: CAST.map(({ name }) => name), processes: PROCESSES };
  const planned = drawSchedule(seed, lengthMs, chosen(), cast);
  say(`seed ${seed}, ${lengthMs / 60_000} minutes, ${planned.length} faults:\n${printSchedule(planned)}`);
  if (options.dry) return true;
  const noNetns = whyNoNetns();
  say(
    noNetns === undefined
      ? 'half-open links: network namespaces, and the proxy'
      : `half-open links: the proxy only; namespaces cannot be used: ${noNetns}`,
  );
  const faults = possible(allFaults, noNetns);
  const { bug } = options;
  const verdict = await runSuite({
    seed,
    name: `${seed}`,
    planned: planned.filter(({ fault }) => faults.some(({ name }) => name === fault)),
    faults,
    lengthMs,
    useNetns: noNetns === undefined,
    ...(bug !== undefined && { bug }),
    say,
  });
  say(verdict.text);
  // The line that CI adds up, as the tests' closing reporter prints it.
  say(verdict.green ? '1 passed, 0 failed' : '0 passed, 1 failed');
  return verdict.green;
}

async function main(): Promise<boolean> {
  if (options.plot !== undefined) {
    plotCycles(options.plot, say);
    return true;
  }
  if (process.platform !== 'linux') {
    say('left out: the fault suite: it needs Linux');
    return true;
  }
  const seed = number('seed', options.seed, 1 + Math.floor(Math.random() * 1_000_000));
  if (options.prove) return prove(seed, positionals, say);
  if (options['kill-cycles'] !== undefined)
    return killCycles(number('kill-cycles', options['kill-cycles'], 500), seed, say);
  if (options['power-cycles'] !== undefined)
    return powerCycles(number('power-cycles', options['power-cycles'], 100), seed, say, options.unsafe);
  return one(seed);
}

process.exitCode = (await main()) ? 0 : 1;
