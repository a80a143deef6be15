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

/** A process and its descendants, the dead ones that were waited for included. */
function treeCpuSeconds(root: number): number {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const entry = stat(pid);
    if (entry !== null) stats.set(pid, entry);
  }
  let sum = 0;
  for (const [pid, entry] of stats) if (isWithin(stats, pid, root)) sum += entry.own + entry.reaped;
  return sum;
}

export function treePids(root: number): number[] {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const entry = Number.isInteger(pid) ? stat(pid) : null;
    if (entry !== null) stats.set(pid, entry);
  }
  return [...stats.keys()].filter((pid) => isWithin(stats, pid, root));
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

function reading(watch: Watched): Reading {
  const own = process.cpuUsage();
  return {
    server: treeCpuSeconds(watch.server),
    database: watch.database === null ? 0 : treeCpuSeconds(watch.database),
    load: (own.user + own.system) / 1e6,
    machine: machineBusySeconds(),
  };
}

/** Starts counting; the returned function says what was used since. */
export function watchCpu(watch: Watched): () => CpuUse {
  const before = reading(watch);
  return () => {
    const after = reading(watch);
    const server = after.server - before.server;
    const database = after.database - before.database;
    const load = after.load - before.load;
    const others = Math.max(0, after.machine - before.machine - server - database - load);
    return { server, database, load, others };
  };
}

/** Resident bytes of one process: all of it, and the part that is not backed by files. */
export function residentBytes(pid: number): { all: number; anonymous: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { all: field('VmRSS'), anonymous: field('RssAnon') };
}
