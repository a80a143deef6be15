import type { Details, Fault, Ground } from './fault.ts';

const netnsOf = ({ netns, processes }: Ground, details: Details) =>
  netns[processes.findIndex(({ name }) => name === details['process'])];

/** Half-open links: the kernel drops every packet of a process's namespace. Short ones heal by retransmission. */
export const halfOpen: Fault = {
  name: 'half-open-netns',
  lane: 'way',
  needs: 'netns',
  lastsMs: [1_000, 9_000],
  draw: (random, { processes }) => ({ process: random.pick(processes) }),
  apply: (ground, details) => netnsOf(ground, details)?.dropAll(),
  heal: (ground, details) => netnsOf(ground, details)?.heal(),
};

/** 10 to 30 % of the packets are lost, in both directions. */
export const packetLoss: Fault = {
  name: 'packet-loss',
  lane: 'way',
  needs: 'netns',
  lastsMs: [3_000, 8_000],
  draw: (random, { processes }) => ({ process: random.pick(processes), percent: random.whole(10, 30) }),
  apply: (ground, details) => netnsOf(ground, details)?.lose((details['percent'] as number) / 100),
  heal: (ground, details) => netnsOf(ground, details)?.heal(),
};
