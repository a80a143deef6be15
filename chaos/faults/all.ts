import { clientKill } from './client-kill.ts';
import { cuts } from './cut.ts';
import { diskFull, fsyncFails } from './disk.ts';
import type { Fault } from './fault.ts';
import { halfOpen, packetLoss } from './netns.ts';
import { backendKill, postgresKill, postgresQuit } from './postgres-kill.ts';
import { bothKill, serverKill } from './server-kill.ts';
import { postgresStop, serverStop } from './stop.ts';
import { flap, halfOpenProxy, slow } from './way.ts';

export const allFaults: readonly Fault[] = [
  serverKill,
  bothKill,
  postgresKill,
  postgresQuit,
  backendKill,
  serverStop,
  postgresStop,
  diskFull,
  fsyncFails,
  ...cuts,
  slow,
  flap,
  halfOpen,
  halfOpenProxy,
  packetLoss,
  clientKill,
];
