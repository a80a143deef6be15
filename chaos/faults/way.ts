import { sleep } from '../rig/shell.ts';
import { someClients, waysOf, type Fault } from './fault.ts';

const BYTES_AT_256_KBIT = 32_000;

/** 256 kbit/s in each direction. */
export const slow: Fault = {
  name: 'slow-256-kbit',
  lane: 'way',
  lastsMs: [3_000, 8_000],
  draw: (random, cast) => ({ clients: someClients(random, cast) }),
  apply: (ground, details) => {
    for (const way of waysOf(ground, details)) way.rate = BYTES_AT_256_KBIT;
  },
  heal: (ground, details) => {
    for (const way of waysOf(ground, details)) way.rate = 0;
  },
};

let flapping = 0;

/** Away for 2 s in every 4 to 10 s. */
export const flap: Fault = {
  name: 'flap',
  lane: 'way',
  lastsMs: [8_000, 12_000],
  draw: (random, cast) => ({ clients: someClients(random, cast), everyMs: random.whole(4, 10) * 1_000 }),
  apply: (ground, details) => {
    const turn = (flapping += 1);
    const beat = async (): Promise<void> => {
      while (turn === flapping) {
        for (const way of waysOf(ground, details)) {
          way.refusing = true;
          way.cutAll();
        }
        await sleep(2_000);
        if (turn !== flapping) return;
        for (const way of waysOf(ground, details)) way.refusing = false;
        await sleep((details['everyMs'] as number) - 2_000);
      }
    };
    void beat();
  },
  heal: (ground, details) => {
    flapping += 1;
    for (const way of waysOf(ground, details)) way.refusing = false;
  },
};

/** Half-open links without root: the proxy swallows what comes from either side and tells neither. */
export const halfOpenProxy: Fault = {
  name: 'half-open-proxy',
  lane: 'way',
  lastsMs: [2_000, 8_000],
  draw: (random, cast) => ({ clients: someClients(random, cast) }),
  apply: (ground, details) => {
    for (const way of waysOf(ground, details)) way.swallow();
  },
  heal: (ground, details) => {
    // What is swallowed stays so: such a link never works again, and both sides have to find out.
    for (const way of waysOf(ground, details)) way.swallowing = false;
  },
};
