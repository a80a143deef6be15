import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Processes that work in this folder: for a PostgreSQL cluster, its postmaster and all of its children. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        // It ended while we looked.
        return false;
      }
    })
    .map(Number);
}

/** The pid in postmaster.pid, when that process is a PostgreSQL of this cluster. */
export function postmasterOf(clusterDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(`${clusterDir}/postmaster.pid`, 'utf8').split('\n')[0]);
    return readlinkSync(`/proc/${pid}/cwd`) === clusterDir ? pid : undefined;
  } catch {
    // No file, or the process it names is gone.
    return undefined;
  }
}

export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
