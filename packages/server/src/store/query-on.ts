import type pg from 'pg';

/**
 * A query of pg in its callback form. The promise that pg makes itself keeps, by the way in which V8 collects young
 * objects, each query alive through the one before it: whatever a batch held, messages included, then lives until the
 * next full collection, and those come every few seconds.
 */
export const queryOn = <R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  config: pg.QueryConfig,
): Promise<pg.QueryResult<R>> =>
  new Promise((resolve, reject) => {
    // pg's types say that there always is an error.
    client.query<R>(config, (error: Error | null | undefined, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
