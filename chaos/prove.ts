import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bug } from './bugs/bug.ts';
import { bugs } from './bugs/list.ts';
import { CAST, PROCESSES } from './cast.ts';
import { allFaults } from './faults/all.ts';
import { OUT } from './rig/paths.ts';
import { Server } from './rig/server.ts';
import { drawSchedule } from './schedule.ts';
import { runSuite, type Verdict } from './suite.ts';

const TRIES = 3;
/** Long enough for each fault that any of the bugs needs. */
const CLEAN_S = 40;

type Say = (line: string) => void;

/** A stopped data folder that each run copies, for a new database takes seconds. */
async function withTemplate<T>(work: (template: string) => Promise<T>): Promise<T> {
  const template = mkdtempSync(join(tmpdir(), 'curbline-chaos-template-'));
  chmodSync(template, 0o755);
  mkdirSync(OUT, { recursive: true });
  const server = new Server(template, join(OUT, 'template.log'));
  try {
    await server.start();
    await server.kill('SIGTERM');
    return await work(template);
  } finally {
    await server.destroy();
    rmSync(template, { recursive: true, force: true });
  }
}

/** Runs without a bug, which must be green, and with each planted bug, which must be red for the right reason. */
export async function prove(seed: number, only: readonly string[], say: Say): Promise<boolean> {
  const unknown = only.find((name) => bugs.every((bug) => bug.name !== name));
  if (unknown !== undefined) throw new Error(`no bug ${unknown}: ${bugs.map(({ name }) => name).join(', ')}`);
  const wanted = only.length === 0 ? bugs : bugs.filter(({ name }) => only.includes(name));
  return withTemplate(async (template) => {
    const faults = [...new Set(wanted.flatMap((bug) => bug.faults))];
    const clean = await run(seed, `prove-clean`, faults, CLEAN_S, undefined, template);
    say(
      `${clean.green ? 'ok    ' : 'FAILED'}  without a bug: ${clean.green ? 'green' : `red: ${clean.text}`}`,
    );
    let proven = clean.green;
    for (const bug of wanted) proven = (await noticed(bug, seed, template, say)) && proven;
    return proven;
  });
}

/** Chance decides when a fault meets a message: a run that missed is tried again with the next seed. */
async function noticed(bug: Bug, seed: number, template: string, say: Say): Promise<boolean> {
  let last = '';
  for (let run_ = 0; run_ < TRIES; run_ += 1) {
    const verdict = await run(seed + run_, `prove-${bug.name}`, bug.faults, bug.forS, bug.name, template);
    const found = verdict.broken.filter((rule) => bug.breaks.includes(rule));
    if (found.length > 0) {
      const more =
        verdict.broken.length > found.length ? ` (and ${verdict.broken.length - found.length} more)` : '';
      say(`ok      ${bug.name}: red by ${found.join(', ')}${more}, seed ${seed + run_}`);
      return true;
    }
    last = verdict.text;
  }
  say(`FAILED  ${bug.name}: not noticed in ${TRIES} runs (${bug.says}): ${last}`);
  return false;
}

async function run(
  seed: number,
  name: string,
  faults: readonly string[],
  forS: number,
  bug: string | undefined,
  template: string,
): Promise<Verdict> {
  const all = allFaults.filter((fault) => faults.includes(fault.name));
  const cast = { clients: CAST.map((one) => one.name), processes: PROCESSES };
  const lengthMs = forS * 1_000;
  try {
    return await runSuite({
      seed,
      name,
      planned: drawSchedule(seed, lengthMs, all, cast),
      faults: all,
      lengthMs,
      useNetns: false,
      ...(bug !== undefined && { bug }),
      template,
      say: () => undefined,
    });
  } catch (error) {
    return { green: false, text: `the run itself failed: ${String(error)}`, broken: ['the-run-itself'] };
  }
}
