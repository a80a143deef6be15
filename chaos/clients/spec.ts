import type { Person } from '../rig/tokens.ts';

/** One client of a run. */
export interface ClientSpec {
  name: string;
  kind: 'sdk' | 'raw';
  url: string;
  token: string;
  person: Person;
  bookings: string[];
  transport: 'websocket' | 'polling';
  /** Milliseconds between two new messages, on average; 0 for one that only listens. */
  everyMs: number;
  /** Its part when the host gives its booking to another driver during the run. */
  handover?: 'gives' | 'takes' | undefined;
}

/** The job of one process of clients. */
export interface ProcessSpec {
  clients: ClientSpec[];
  /** Folder of the records and outboxes. */
  folder: string;
  seed: number;
  /** 1 for the first process, and one more after each kill. */
  life: number;
}

/** What the run tells a process of clients, a JSON line each. */
export type Order = { order: 'finish' } | { order: 'end'; heads: Record<string, number>; withinMs: number };
/** What it says. */
export type Report = { report: 'running' | 'drained' | 'ended' };

export interface Client {
  start(): Promise<void>;
  /** Says nothing new; resolves when all that was said is answered. */
  drain(): Promise<void>;
  /** Resolves when it has seen the log up to its end, or when the time is over. */
  end(heads: Record<string, number>, withinMs: number): Promise<void>;
}
