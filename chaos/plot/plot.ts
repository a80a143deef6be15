import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../rig/paths.ts';
import { spread, type BlowTrace } from './in-flight.ts';
import { draw } from './svg.ts';

export const TRACES = 'in-flight.json';
const PLOT = join(ROOT, 'docs/images/kills-in-flight.svg');
export const FROM_MS = -200;
export const TO_MS = 3_000;
const STEP_MS = 10;

/** Draws messages in flight around the blows of recorded cycles: a folder of `--kill-cycles`, or its file of traces. */
export function plotCycles(path: string, say: (line: string) => void): void {
  const file = statSync(path).isDirectory() ? join(path, TRACES) : path;
  const traces = JSON.parse(readFileSync(file, 'utf8')) as BlowTrace[];
  if (traces.length === 0) throw new Error(`${file} holds no traces`);
  const of = (some: readonly BlowTrace[]) => spread(some, FROM_MS, TO_MS, STEP_MS);
  const kinds = [...new Set(traces.map(({ kind }) => kind))].toSorted();
  const svg = draw({
    title: 'Messages in flight while the server is killed',
    subtitle: `${traces.length} blows of kill -9; medians of each kind of blow, and of all; four people go on talking`,
    x: 'milliseconds from the blow',
    y: 'messages without an answer',
    all: { name: 'all: median, 10–90 %', points: of(traces) },
    parts: kinds.map((kind) => ({
      name: kind,
      points: of(traces.filter((one) => one.kind === kind)),
    })),
  });
  mkdirSync(dirname(PLOT), { recursive: true });
  writeFileSync(PLOT, svg);
  say(`${PLOT}: ${traces.length} blows (${kinds.join(', ')})`);
}
