import { readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Started } from '../rig/process.ts';
import { curbline } from '../targets/curbline.ts';
import { tutorial } from '../targets/tutorial.ts';
import { loadOnce, steady, withServer, type Bench, type Sample } from './measure.ts';

const QUARTER_MS = 250;
const SECTOR_BYTES = 512;
/** The write-ahead log alone is one or two megabytes in a quarter of a second. */
const MUCH_BYTES = 8e6;

/** Something that happened at a time of the clock, in milliseconds since 1970. */
interface Happening {
  atMs: number;
  what: string;
}

/** When messages were late at half of the capacity, beside what happened then: full collections, and what the kernel wrote to the disk. */
export async function pauses(bench: Bench): Promise<void> {
  for (const target of bench.targets(curbline, tutorial)) {
    await withServer(
      bench,
      target,
      'together',
      async (running) => {
        const pairs = await running.seed(bench.shape.pairs);
        const closed = { kind: 'closed', inFlight: bench.inFlight } as const;
        const full = await loadOnce(bench, target, running, pairs, { ...bench.shape, loop: closed });
        const rate = bench.rate ?? Math.round(full.ackedPerSecond / 2);
        const happened: Happening[] = [];
        hearCollections(running.process, happened);
        const watch = watchDisk(happened);
        const open = { kind: 'open', rate } as const;
        const shape = { ...bench.shape, timing: steady(bench), loop: open };
        const half = await loadOnce(bench, target, running, pairs, shape, 1);
        clearInterval(watch);
        const { p50, p90, p99, max } = half.delivery;
        const ms = [p50, p90, p99, max].map((us) => (us / 1000).toFixed(1)).join(', ');
        bench.say(
          `\n${target.name}: ${rate} a second for ${half.seconds} s, to delivery ${ms} ms (p50, p90, p99, longest)`,
        );
        for (const line of timeLine(half, happened)) bench.say(line);
      },
      { nodeArgs: ['--trace-gc', '--trace-gc-ignore-scavenger'] },
    );
  }
}

/** Full collections say so when they end. */
function hearCollections({ child }: Started, into: Happening[]): void {
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n')) {
      const [, mb, ms, steps] =
        /Mark-Compact.*? ([\d.]+) \([\d.]+\) -> .*?, ([\d.]+) \/ [\d.]+ ms(?: +\(\+ ([\d.]+) ms)?/.exec(
          line,
        ) ?? [];
      if (ms === undefined) continue;
      const before = steps === undefined ? '' : ` after ${Number(steps).toFixed(0)} ms of steps`;
      into.push({
        atMs: Date.now() - Number(ms),
        what: `full collection of ${mb} MB, ${Number(ms).toFixed(0)} ms${before}`,
      });
    }
  });
}

function watchDisk(into: Happening[]): NodeJS.Timeout {
  let before = writtenBytes();
  return setInterval(() => {
    const now = writtenBytes();
    if (now - before > MUCH_BYTES)
      into.push({
        atMs: Date.now() - QUARTER_MS,
        what: `${((now - before) / 1e6).toFixed(0)} MB written to the disk`,
      });
    before = now;
  }, QUARTER_MS);
}

/** What was written to the disk of PostgreSQL's folder since it was mounted, by whomever; 0 where that is no disk. */
function writtenBytes(): number {
  const { dev } = statSync(tmpdir());
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  const line = readFileSync('/proc/diskstats', 'latin1')
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find((fields) => Number(fields[0]) === major && Number(fields[1]) === minor);
  return Number(line?.[9] ?? 0) * SECTOR_BYTES;
}

/** When messages were late in a window, beside what happened then. */
export function timeLine({ beganMs, seconds, late }: Sample, happened: Happening[] = []): string[] {
  const lines = [
    ...late.map(({ atMs, messages, longestMs }) => ({
      atMs,
      what: `${messages} late, the longest ${longestMs.toFixed(0)} ms`,
    })),
    ...happened
      .map(({ atMs, what }) => ({ atMs: atMs - beganMs, what: `    ${what}` }))
      .filter(({ atMs }) => atMs >= 0 && atMs < seconds * 1000),
  ];
  return lines
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, what }) => `${(atMs / 1000).toFixed(2).padStart(7)} s  ${what}`);
}
