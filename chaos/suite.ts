import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plantIn } from './bugs/all.ts';
import { BOOKINGS, bookingIds, CAST, HANDOVER, PROCESSES, specFor } from './cast.ts';
import { nowMs } from './clients/recorder.ts';
import type { Fault, Ground } from './faults/fault.ts';
import { ClientProcess } from './rig/client-process.ts';
import { memoryDisk } from './rig/disk.ts';
import { makeNetns, type Netns } from './rig/netns.ts';
import { CHECKER, OUT } from './rig/paths.ts';
import { Proxy } from './rig/proxy.ts';
import { Random } from './rig/random.ts';
import { Server } from './rig/server.ts';
import { sh, sleep, tried, until } from './rig/shell.ts';
import type { Planned } from './schedule.ts';

export interface SuiteOptions {
  seed: number;
  name: string;
  planned: readonly Planned[];
  faults: readonly Fault[];
  lengthMs: number;
  useNetns: boolean;
  bug?: string;
  /** A data folder that was stopped cleanly, to save the making of a new database. */
  template?: string | undefined;
  say: (line: string) => void;
}

export interface Verdict {
  green: boolean;
  /** What the checker printed. */
  text: string;
  /** Names of the rules that were broken. */
  broken: string[];
}

const DISK_MB = 400;
/** A slow machine may need the whole run for its faults: people still have time to talk after the last one. */
const CALM_AFTER_MS = 4_000;
const READY_LIMIT_MS = 60_000;
const SEE_ALL_WITHIN_MS = 20_000;

/** One run: people talk, the schedule happens, everything heals, and the checker reads what was recorded. */
export async function runSuite(options: SuiteOptions): Promise<Verdict> {
  const folder = join(OUT, options.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const undo: (() => unknown)[] = [];
  const onSignal = (): void => void cleanUp(undo).then(() => process.exit(130));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const ground = await build(options, folder, undo);
    await perform(options, ground, folder);
    return judge(folder);
  } finally {
    await cleanUp(undo);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function cleanUp(undo: (() => unknown)[]): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      process.stderr.write(`clean-up: ${String(error)}\n`);
    }
  }
}

async function build(
  { seed, planned, useNetns, bug, template }: SuiteOptions,
  folder: string,
  undo: (() => unknown)[],
): Promise<Ground> {
  const dataDir = mkdtempSync(join(tmpdir(), 'curbline-chaos-'));
  chmodSync(dataDir, 0o755);
  undo.push(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const disk = planned.some(({ fault }) => fault === 'disk-full') ? memoryDisk(dataDir, DISK_MB) : undefined;
  if (disk) undo.push(() => disk.remove());
  if (template !== undefined) sh('cp', '-Rp', `${template}/.`, dataDir);
  const server = new Server(dataDir, join(folder, 'server.log'), { bug });
  undo.push(() => server.destroy());
  // What PostgreSQL itself said.
  undo.push(() => tried('cp', join(dataDir, 'postgres/server.log'), join(folder, 'postgres.log')));
  await server.start();
  for (const { id, ...people } of BOOKINGS) {
    await server.rest('PUT', `/v1/bookings/${id}`, {
      driver: { id: people.driver },
      customer: { id: people.customer },
      status: 'accepted',
    });
  }
  if (bug !== undefined) await plantIn(server, bug);
  const netns: Netns[] = [];
  if (useNetns) {
    for (const index of PROCESSES.keys()) {
      const one = makeNetns(index);
      undo.push(() => one.remove());
      netns.push(one);
    }
  }
  const ways = new Map<string, Proxy>();
  const processes: ClientProcess[] = [];
  for (const [index, name] of PROCESSES.entries()) {
    const host = netns[index]?.host ?? '127.0.0.1';
    const clients = [];
    for (const one of CAST.filter(({ kind }) => kind === name)) {
      const way = new Proxy(() => server.port);
      undo.push(() => way.close());
      ways.set(one.name, way);
      clients.push(specFor(one, `http://${host}:${await way.listen(host)}`));
    }
    const started = new ClientProcess({ name, clients, folder, seed, netns: netns[index], bug });
    undo.push(() => started.kill());
    processes.push(started);
  }
  await Promise.all(processes.map((each) => each.start()));
  return { server, ways, processes, netns, disk, random: new Random(seed + 7) };
}

async function perform(options: SuiteOptions, ground: Ground, folder: string): Promise<void> {
  const { planned, faults, lengthMs, say } = options;
  const startedAt = performance.now();
  const note = (entry: Record<string, unknown>): void =>
    appendFileSync(join(folder, 'faults.jsonl'), `${JSON.stringify({ t: nowMs(), ...entry })}\n`);
  const lane = async (name: Fault['lane']): Promise<void> => {
    for (const { atMs, forMs, fault: wanted, details } of planned) {
      const fault = faults.find((one) => one.name === wanted && one.lane === name);
      if (fault === undefined) continue;
      await sleep(startedAt + atMs - performance.now());
      ground.server.assertAlive();
      note({ what: 'apply', fault: wanted, details });
      await fault.apply(ground, details);
      await sleep(forMs);
      await fault.heal(ground, details);
      note({ what: 'heal', fault: wanted });
      if (name !== 'ground') continue;
      const healed = performance.now();
      const ready = await until(() => ground.server.isReady(), READY_LIMIT_MS, 50);
      note({ what: ready ? 'ready' : 'not-ready', fault: wanted, afterMs: performance.now() - healed });
      if (!ready) {
        const pids = ground.server.backends.flatMap((pid) => ['-p', `${pid}`]);
        const seen = spawnSync('ps', ['-o', 'pid,ppid,stat,wchan:30,args', ...pids], {
          encoding: 'utf8',
        }).stdout;
        writeFileSync(join(folder, 'stuck.txt'), seen);
        throw new Error(
          `${wanted}: the server was not ready within ${READY_LIMIT_MS} ms after it was healed`,
        );
      }
      ground.server.assertAlive();
    }
  };
  await Promise.all([lane('ground'), lane('way'), handOver(ground.server, startedAt + lengthMs / 2, note)]);
  await sleep(Math.max(CALM_AFTER_MS, startedAt + lengthMs - performance.now()));
  ground.server.assertAlive();
  for (const way of ground.ways.values()) way.heal();
  await Promise.all(ground.processes.map((each) => each.finish()));
  const log = Object.fromEntries(await each((id) => ground.server.history(id)));
  const table = Object.fromEntries(await each((id) => ground.server.table(id)));
  const heads = Object.fromEntries(Object.entries(table).map(([id, rows]) => [id, rows.at(-1)?.seq ?? 0]));
  await Promise.all(ground.processes.map((one) => one.end(heads, SEE_ALL_WITHIN_MS)));
  ground.server.assertAlive();
  const cuts: Record<string, number> = {};
  for (const way of ground.ways.values())
    for (const [point, count] of Object.entries(way.cuts)) cuts[point] = (cuts[point] ?? 0) + count;
  const { seed, bug, useNetns } = options;
  writeFileSync(
    join(folder, 'run.json'),
    JSON.stringify({ seed, bug, useNetns, lengthMs, planned, cuts, cast: CAST, handover: HANDOVER }),
  );
  writeFileSync(join(folder, 'log.json'), JSON.stringify({ log, table }));
  say(
    `  told: ${Object.values(heads).reduce((sum, head) => sum + head, 0)} messages in ${Object.keys(heads).length} bookings`,
  );
}

/** The host's call may meet any fault: it is made again until it is answered. */
async function handOver(
  server: Server,
  at: number,
  note: (entry: Record<string, unknown>) => void,
): Promise<void> {
  await sleep(at - performance.now());
  const begun = nowMs();
  const { id, customer, to } = HANDOVER;
  const put = { driver: { id: to }, customer: { id: customer }, status: 'accepted' };
  for (let tries = 1; ; tries += 1) {
    try {
      await server.rest('PUT', `/v1/bookings/${id}`, put);
      return note({ what: 'handover', begun, tries });
    } catch {
      server.assertAlive();
      await sleep(200);
    }
  }
}

const each = <T>(read: (id: string) => Promise<T>): Promise<(readonly [string, T])[]> =>
  Promise.all(bookingIds.map(async (id) => [id, await read(id)] as const));

/** Lets the checker read the records of a run. */
function judge(folder: string): Verdict {
  const done = spawnSync('python3', [CHECKER, folder], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (done.status !== 0 && done.status !== 1) throw new Error(`the checker failed: ${done.stderr}`);
  const broken = [...done.stdout.matchAll(/^BROKEN ([^\s:]+):/gm)].map(([, rule]) => rule ?? '');
  return { green: done.status === 0, text: done.stdout.trimEnd(), broken };
}
