import { signal } from '../rig/processes.ts';
import type { Fault } from './fault.ts';

/** The server stands still, as in a long pause of its machine, and goes on. */
export const serverStop: Fault = {
  name: 'server-stop',
  lane: 'ground',
  lastsMs: [500, 7_000],
  apply: ({ server }) => void (server.pid !== undefined && signal(server.pid, 'SIGSTOP')),
  heal: ({ server }) => void (server.pid !== undefined && signal(server.pid, 'SIGCONT')),
};

/** Every process of the database stands still: connections live, and nothing answers. */
export const postgresStop: Fault = {
  name: 'postgres-stop',
  lane: 'ground',
  lastsMs: [500, 7_000],
  apply: ({ server }) => {
    for (const pid of server.backends) signal(pid, 'SIGSTOP');
  },
  heal: ({ server }) => {
    for (const pid of server.backends) signal(pid, 'SIGCONT');
  },
};
