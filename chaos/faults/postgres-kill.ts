import { signal } from '../rig/processes.ts';
import type { Fault, Ground } from './fault.ts';

const toPostmaster = ({ server }: Ground, name: NodeJS.Signals): void => {
  if (server.postmaster !== undefined) signal(server.postmaster, name);
};
/** The server brings its database back by itself. */
const byItself = (): void => undefined;

/** `kill -9` of the postmaster. */
export const postgresKill: Fault = {
  name: 'postgres-kill',
  lane: 'ground',
  lastsMs: [500, 500],
  apply: (ground) => toPostmaster(ground, 'SIGKILL'),
  heal: byItself,
};

/** The immediate stop of PostgreSQL: every process ends without a checkpoint. */
export const postgresQuit: Fault = {
  name: 'postgres-quit',
  lane: 'ground',
  lastsMs: [500, 500],
  apply: (ground) => toPostmaster(ground, 'SIGQUIT'),
  heal: byItself,
};

/** `kill -9` of one process that serves a connection: PostgreSQL then restarts all of them and recovers. */
export const backendKill: Fault = {
  name: 'backend-kill',
  lane: 'ground',
  lastsMs: [500, 500],
  apply: ({ server, random }) => {
    const backends = server.backends.filter((pid) => pid !== server.postmaster);
    if (backends.length > 0) signal(random.pick(backends), 'SIGKILL');
  },
  heal: byItself,
};
