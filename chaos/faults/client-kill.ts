import type { Fault } from './fault.ts';

/** `kill -9` of the clients on the SDK; they come back on the outboxes that they left. */
export const clientKill: Fault = {
  name: 'client-kill',
  lane: 'way',
  lastsMs: [100, 1_500],
  draw: () => ({ process: 'sdk' }),
  apply: async ({ processes }, { process }) => processes.find(({ name }) => name === process)?.kill(),
  heal: async ({ processes }, { process }) => processes.find(({ name }) => name === process)?.start(),
};
