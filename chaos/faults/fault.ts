import type { ClientProcess } from '../rig/client-process.ts';
import type { Disk } from '../rig/disk.ts';
import type { Netns } from '../rig/netns.ts';
import type { Proxy } from '../rig/proxy.ts';
import type { Random } from '../rig/random.ts';
import type { Server } from '../rig/server.ts';

/** What faults may break: all of it belongs to the run. */
export interface Ground {
  server: Server;
  /** The way of each client to the server, by its name. */
  ways: ReadonlyMap<string, Proxy>;
  processes: readonly ClientProcess[];
  netns: readonly Netns[];
  disk: Disk | undefined;
  /** For what happens while a fault lasts; not the schedule's. */
  random: Random;
}

/** What the draw of a fault may depend on: names only, so that a seed means the same everywhere. */
export interface Cast {
  clients: readonly string[];
  processes: readonly string[];
}

export type Details = Record<string, string | number | string[]>;

/** One kind of trouble. */
export interface Fault {
  readonly name: string;
  /** `ground`: below the server, one at a time. `way`: between clients and server, beside the former. */
  readonly lane: 'ground' | 'way';
  /** What it needs of the machine. */
  readonly needs?: 'root' | 'netns' | 'disk' | 'strace';
  /** Milliseconds from applying to healing: shortest and longest. */
  readonly lastsMs: readonly [number, number];
  draw?(random: Random, cast: Cast): Details;
  apply(ground: Ground, details: Details): Promise<void> | void;
  heal(ground: Ground, details: Details): Promise<void> | void;
}

/** The ways that a fault drew. */
export const waysOf = ({ ways }: Ground, details: Details): Proxy[] =>
  [...ways].filter(([name]) => (details['clients'] as string[]).includes(name)).map(([, way]) => way);

/** From one client up to all of them. */
export const someClients = (random: Random, { clients }: Cast): string[] =>
  random.shuffled(clients).slice(0, random.whole(1, clients.length)).toSorted();
