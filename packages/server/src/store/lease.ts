import type pg from 'pg';
import { ChatError } from '../chat-error.js';
import { Deadlines } from '../deadlines.js';
import { queryOn } from './query-on.js';
import { breaksConnection } from './store-error.js';

/** When PostgreSQL itself does not answer, the connection is given up after this, the wait for it included. */
export const SILENCE_TIMEOUT_MS = 1_800;
/** Who has waited nearly that long for a connection still gets a chance on it. */
const SHORTEST_MS = 100;

/** Not pg's `query_timeout`: its timer for each query keeps rows alive, in the way that `queryOn` tells of. */
const silence = new Deadlines(SILENCE_TIMEOUT_MS, 'the database did not answer in time');

const isEnding = (client: pg.PoolClient) =>
  (client as pg.PoolClient & { _ending?: boolean })._ending === true;

/** A connection of the pool for some statements; thrown away, not reused, once an error has broken it. */
export class Lease {
  private broken: { readonly error: unknown } | undefined;

  /** `heardAtMs`: since when PostgreSQL is silent; whoever waited for the connection has waited for it already. */
  constructor(
    private readonly client: pg.PoolClient,
    private heardAtMs: number,
  ) {}

  /** On a broken connection a ROLLBACK would wait behind the statement that is not answered: it fails at once. */
  async query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>> {
    if (this.broken) throw this.broken.error;
    const sinceMs = Math.max(this.heardAtMs, performance.now() - SILENCE_TIMEOUT_MS + SHORTEST_MS);
    try {
      const result = await silence.within(queryOn<R>(this.client, config), sinceMs);
      this.heardAtMs = performance.now();
      return result;
    } catch (error) {
      if (error instanceof ChatError || breaksConnection(error)) this.broken = { error };
      throw error;
    }
  }

  release(): void {
    this.client.release(this.broken !== undefined || isEnding(this.client));
  }
}
