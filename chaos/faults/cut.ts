import { CUT_POINTS, type CutPoint } from '../rig/proxy.ts';
import { someClients, waysOf, type Fault } from './fault.ts';

/** The connection ends at a chosen point of a request: each of these sends meets it with this probability. */
const cutAt = (point: CutPoint): Fault => ({
  name: `cut-${point}`,
  lane: 'way',
  lastsMs: [1_000, 4_000],
  draw: (random, cast) => ({
    clients: someClients(random, cast),
    probability: random.pick([0.05, 0.2, 0.5]),
  }),
  apply: (ground, details) => {
    for (const way of waysOf(ground, details))
      way.cutAt(point, () => ground.random.chance(details['probability'] as number));
  },
  heal: (ground, details) => {
    for (const way of waysOf(ground, details)) way.cutAt(undefined);
  },
});

export const cuts: Fault[] = CUT_POINTS.map(cutAt);
