import type { Fault } from './fault.ts';

/** `kill -9` of the server; it is started again on the same folder and port. Its database outlives it. */
export const serverKill: Fault = {
  name: 'server-kill',
  lane: 'ground',
  lastsMs: [0, 1_500],
  apply: ({ server }) => server.kill('SIGKILL'),
  heal: ({ server }) => server.start(),
};

/** The server and its whole database at once, as when the machine's container is killed. */
export const bothKill: Fault = {
  name: 'both-kill',
  lane: 'ground',
  lastsMs: [0, 1_500],
  apply: ({ server }) => server.destroy(),
  heal: ({ server }) => server.start(),
};
