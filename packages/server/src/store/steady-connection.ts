import type pg from 'pg';

/**
 * One connection of a pool, kept for as long as it works. A pool's own `query` costs several turns and timers
 * each time: a tenth of what a sender waits for an answer. For one query at a time.
 */
export class SteadyConnection {
  private client: Promise<pg.PoolClient> | undefined;

  constructor(readonly pool: pg.Pool) {}

  /** After any error the connection is not trusted any more: the next query opens another. */
  async query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>> {
    const opening = (this.client ??= this.open());
    try {
      const client = await opening;
      return await client.query<R>(config);
    } catch (error) {
      this.drop(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.client) this.drop(this.client);
    await this.pool.end();
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
