import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fill, unfill } from '../rig/disk.ts';
import type { Fault } from './fault.ts';

/** No byte is left on the disk of the data folder. */
export const diskFull: Fault = {
  name: 'disk-full',
  lane: 'ground',
  needs: 'disk',
  lastsMs: [2_000, 6_000],
  apply: ({ disk }) => void (disk !== undefined && fill(disk)),
  heal: ({ disk }) => void (disk !== undefined && unfill(disk)),
};

let strace: ChildProcess | undefined;

/**
 * Every `fsync` and `fdatasync` of PostgreSQL's working processes fails with EIO: what a dying disk says. The
 * postmaster itself is not traced: a tracer that ends can swallow the signal that tells of a child's death.
 */
export const fsyncFails: Fault = {
  name: 'fsync-fails',
  lane: 'ground',
  needs: 'strace',
  lastsMs: [1_000, 3_000],
  apply: async ({ server }) => {
    const workers = server.backends.filter((pid) => pid !== server.postmaster);
    const pids = workers.flatMap((pid) => ['-p', `${pid}`]);
    if (pids.length === 0) return;
    const rules = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO'];
    strace = spawn('strace', ['-qq', '-o', '/dev/null', ...rules, ...pids], { stdio: 'ignore' });
    await once(strace, 'spawn');
  },
  heal: async () => {
    if (strace === undefined || strace.exitCode !== null || strace.signalCode !== null) return;
    const gone = once(strace, 'exit');
    strace.kill('SIGTERM');
    await gone;
    strace = undefined;
  },
};
