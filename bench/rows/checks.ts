import type { ChecksResult } from '../load/spec.ts';
import { median, show, spread } from '../report/stats.ts';
import { runLoad } from '../rig/process.ts';
import type { Bench } from './measure.ts';
import { WITHIN_MS } from './turns.ts';

/** What it costs to know that a message is what the contract allows: zod, its JSON Schema through ajv, and by hand. */
export async function checks(bench: Bench): Promise<void> {
  const { ns } = await runLoad<ChecksResult>(
    {
      mode: 'checks',
      textBytes: bench.shape.textBytes,
      warmup: 5,
      turns: bench.quick ? 5 : 30,
      each: 50_000,
    },
    WITHIN_MS,
  );
  const [[, first] = ['', []]] = Object.entries(ns);
  for (const [name, turns] of Object.entries(ns)) {
    const ratio = median(turns.map((took, turn) => took / (first[turn] ?? Number.NaN)));
    bench.say(`  ${name.padEnd(44)} ns ${show(spread(turns))} · of zod ${ratio.toFixed(2)} ×`);
  }
}
