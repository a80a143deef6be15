import type { ErrorObject, PayloadInput } from '@curbline/contract';

/** A message that the server has not confirmed yet. Plain JSON. */
export interface OutboxEntry {
  /** Whose it is: URL, scope and user id. Another person's entries are never sent. */
  owner: string;
  booking_id: string;
  client_id: string;
  kind: PayloadInput<'message.send'>['kind'];
  body: PayloadInput<'message.send'>['body'];
  /** ISO 8601, this device's clock. */
  created_at: string;
  /** Present when it failed for good; kept until it is retried or discarded. */
  error?: Pick<ErrorObject, 'code' | 'message'> & Partial<ErrorObject>;
}

/**
 * A place that keeps unsent messages. An entry is put before it is sent for the first time and removed after the
 * server's confirmation, so each promise must settle only when the change would survive a crash. Calls may overlap: they
 * take effect in the order in which they were made.
 */
export interface OutboxStore {
  /** Entries of an owner in the order in which they were first put. */
  load(owner: string): Promise<OutboxEntry[]>;
  /** Adds an entry, or replaces the one with the same `client_id` at its place. */
  put(entry: OutboxEntry): Promise<void>;
  /** Takes an entry out; nothing happens when there is none. */
  remove(client_id: string): Promise<void>;
  /** Lets go of files and connections. A later call opens them again. */
  close?(): Promise<void>;
  /** When several tabs see the same entries: a name for their lock and channel. */
  readonly sharedAs?: string;
}

/** An outbox that ends with the process. */
export const memoryOutbox = (): OutboxStore => {
  const entries = new Map<string, OutboxEntry>();
  return {
    load: async (owner) => [...entries.values()].filter((entry) => entry.owner === owner),
    put: async (entry) => void entries.set(entry.client_id, entry),
    remove: async (client_id) => void entries.delete(client_id),
  };
};
