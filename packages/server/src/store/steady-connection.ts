import type pg from 'pg';
import { queryOn } from './query-on.js';

/**
 * One connection of a pool, kept for as long as it works. A pool's own `query` costs several turns and timers
 * each time: a tenth of what a sender waits for an answer. For one query at a time.
 */
export class SteadyConnection {
  private client: Promise<pg.PoolClient> | undefined;
  /** Ends the wait for the query that is under way. */
  private giveUp: ((reason: Error) => void) | undefined;
  /**
   * Wound up again for each query. A timer for each, which is what pg's own `query_timeout` makes, keeps the query before it alive in
   * the way that `queryOn` tells of.
   */
  private readonly silence: NodeJS.Timeout;

  /** A connection that says nothing for `silenceMs` is given up. */
  constructor(
    readonly pool: pg.Pool,
    silenceMs: number,
  ) {
    this.silence = setTimeout(() => this.giveUp?.(new Error('Query read timeout')), silenceMs).unref();
  }

  /** After any error the connection is not trusted any more: the next query opens another. */
  async query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>> {
    const opening = (this.client ??= this.open());
    try {
      return await this.within(queryOn<R>(await opening, config));
    } catch (error) {
      this.drop(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.silence);
    if (this.client) this.drop(this.client);
    await this.pool.end();
  }

  private within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // The function itself: a closure around it would be another link of that chain.
      this.giveUp = reject;
      this.silence.refresh();
      answer.then(resolve, reject);
    });
  }

  private open(): Promise<pg.PoolClient> {
    const opening: Promise<pg.PoolClient> = this.pool.connect().then((client) => {
      // It broke while nobody asked anything.
      client.once('error', () => this.drop(opening));
      return client;
    });
    return opening;
  }

  private drop(opening: Promise<pg.PoolClient>): void {
    if (this.client !== opening) return;
    this.client = undefined;
    opening.then(
      (client) => client.release(true),
      () => undefined,
    );
  }
}
