import { readFileSync, readdirSync } from 'node:fs';
import type { CpuUse, Watched } from './spec.ts';

/** USER_HZ, which the kernel's ABI fixes at 100 on every Linux that Node runs on. */
const TICK_S = 0.01;

interface Stat {
  parent: number;
  own: number;
  reaped: number;
}

function stat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // The process ended between the listing and the read.
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => Number(fields[index]) * TICK_S;
  return { parent: Number(fields[1]), own: ticks(11) + ticks(12), reaped: ticks(13) + ticks(14) };
}

function allStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const entry = Number.isInteger(pid) ? stat(pid) : null;
    if (entry !== null) stats.set(pid, entry);
  }
  return stats;
}

/** A process and its descendants. */
export function treePids(root: number): number[] {
  const stats = allStats();
  return [...stats.keys()].filter((pid) => isWithin(stats, pid, root));
}

/** Of these processes, and of the dead ones that they waited for. */
function cpuSeconds(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    const entry = stat(pid);
    if (entry !== null) sum += entry.own + entry.reaped;
  }
  return sum;
}

/**
 * Reads what all threads of these processes run from now on, in seconds and to the microsecond: fit for spans of a few hundred
 * milliseconds, where ticks are not. Those that end meanwhile are left out.
 */
export function runWatch(pids: readonly number[]): () => number {
  const before = pids.map(runNs);
  return () => {
    let ns = 0;
    for (const [index, pid] of pids.entries()) ns += Math.max(0, runNs(pid) - (before[index] ?? 0));
    return ns / 1e9;
  };
}

function runNs(pid: number): number {
  let ns = 0;
  try {
    for (const task of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ', 1)[0]);
  } catch {
    // The process, or one of its threads, has ended.
  }
  return ns;
}

function isWithin(stats: Map<number, Stat>, pid: number, root: number): boolean {
  for (let at = pid, hops = 0; at > 1 && hops < 64; hops += 1) {
    if (at === root) return true;
    const entry = stats.get(at);
    if (entry === undefined) return false;
    at = entry.parent;
  }
  return false;
}

function machineBusySeconds(): number {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  const fields = line.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  return (user + nice + system + irq + softirq) * TICK_S;
}

interface Reading {
  server: number;
  database: number;
  load: number;
  machine: number;
}

/**
 * Reads what was used between `begin` and `end`. Which processes there are is listed before the first and after the last: the
 * list takes 15 ms, in which a load generator sends and hears nothing, and what was due then would be counted as late.
 */
export class CpuWatch {
  private readonly watch: Watched;
  private readonly before: Pids;
  private begun: Reading;

  constructor(watch: Watched) {
    this.watch = watch;
    this.before = pidsOf(watch);
    this.begun = reading(this.before);
  }

  begin(): void {
    this.begun = reading({ ...this.before, database: this.backends() });
  }

  /** With those that the load has made PostgreSQL open since: what they used before the window is not the window's. */
  private backends(): readonly number[] {
    const { before, watch } = this;
    return watch.database === null ? [] : [...new Set([...before.database, ...childrenOf(watch.database)])];
  }

  end(): CpuUse {
    const after = reading(pidsOf(this.watch));
    const server = after.server - this.begun.server;
    const database = after.database - this.begun.database;
    const load = after.load - this.begun.load;
    const others = Math.max(0, after.machine - this.begun.machine - server - database - load);
    return { server, database, load, others };
  }
}

/** In a fraction of a millisecond, where all processes take 15. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}

interface Pids {
  server: readonly number[];
  database: readonly number[];
}

function pidsOf({ server, database }: Watched): Pids {
  const stats = allStats();
  const within = (root: number) => [...stats.keys()].filter((pid) => isWithin(stats, pid, root));
  return { server: within(server), database: database === null ? [] : within(database) };
}

function reading(pids: Pids): Reading {
  const own = process.cpuUsage();
  return {
    server: cpuSeconds(pids.server),
    database: cpuSeconds(pids.database),
    load: (own.user + own.system) / 1e6,
    machine: machineBusySeconds(),
  };
}

/** Resident bytes of one process: all of it, and the part that is not backed by files. */
export function residentBytes(pid: number): { all: number; anonymous: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { all: field('VmRSS'), anonymous: field('RssAnon') };
}
