import type { DialectName, Pair, TokenPlace } from '../load/spec.ts';
import type { Core, Started } from '../rig/process.ts';
import type { Postgres } from '../rig/postgres.ts';

export interface LaunchOptions {
  core: Core;
  postgres: Postgres;
  /** Extra arguments for Node, such as `--inspect`. */
  nodeArgs?: string[];
  /** Keep what the database holds from a launch before. */
  keep?: boolean;
}

/** A server that runs and can be put under load. */
export interface Running {
  port: number;
  process: Started;
  /** Makes bookings with a driver and a customer each, and their tokens. */
  seed: (pairs: number) => Promise<Pair[]>;
  /** Rows in the table of messages, or null where nothing is stored. */
  stored: () => Promise<number | null>;
}

/** One server of the comparison: how it is started and how it is spoken to. */
export interface Target {
  name: string;
  title: string;
  dialect: DialectName;
  tokenPlace: TokenPlace;
  /** The database it uses, or null. */
  database: string | null;
  launch: (options: LaunchOptions) => Promise<Running>;
}

/** A shared secret for tokens, the same for all servers under test. */
export const TOKEN_SECRET = 'bench-token-secret-0123456789-0123456789';
