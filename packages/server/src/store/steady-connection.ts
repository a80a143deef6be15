import type { Socket } from 'node:net';
import type pg from 'pg';
import { readingShared } from '../ops/shared-read-buffer.js';
import type { BindMessage } from './bind-message.js';
import { PreparedQueries, type Row, type Statement } from './prepared-queries.js';
import { isConflict } from './store-error.js';

/** pg's parser keeps what is incomplete: it gets a copy of its own, of some sixty bytes. */
const readShared = readingShared<Socket>(function (chunk) {
  this.emit('data', Buffer.from(chunk));
});

/** What pg's types leave out. */
interface WithConnection {
  readonly connection?: { readonly stream?: Socket };
}

function readWithoutHeap(client: pg.PoolClient): void {
  const stream = (client as unknown as WithConnection).connection?.stream;
  if (stream) readShared(stream);
}

interface Link {
  readonly client: pg.PoolClient;
  readonly prepared: PreparedQueries;
}

/**
 * One connection of a pool, kept for as long as it works. A pool's own `query` costs several turns and timers
 * each time: a tenth of what a sender waits for an answer. For one query at a time.
 */
export class SteadyConnection {
  private link: Promise<Link> | undefined;
  /** The same, once it is there. */
  private linked: Link | undefined;
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

  /**
   * The rows of a prepared statement; `fill` writes its parameters. After any error but that of a unique key the
   * connection is not trusted any more: the next query opens another.
   */
  async ask(statement: Statement, fill: (message: BindMessage) => void): Promise<Row[]> {
    const opening = (this.link ??= this.open());
    try {
      const { prepared } = this.linked ?? (await opening);
      return await this.within(prepared.ask(statement, fill));
    } catch (error) {
      if (!isConflict(error)) this.drop(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.silence);
    const { link } = this;
    if (link) {
      this.drop(link);
      // The pool waits for a connection that is given back after it was told to end, until the database has answered: one that hangs never does.
      await link.catch(() => undefined);
    }
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

  private open(): Promise<Link> {
    const opening: Promise<Link> = this.pool.connect().then((client) => {
      // It broke while nobody asked anything.
      client.once('error', () => this.drop(opening));
      readWithoutHeap(client);
      const link = { client, prepared: new PreparedQueries(client) };
      if (this.link === opening) this.linked = link;
      return link;
    });
    return opening;
  }

  private drop(opening: Promise<Link>): void {
    if (this.link !== opening) return;
    this.link = undefined;
    this.linked = undefined;
    opening.then(
      ({ client }) => client.release(true),
      () => undefined,
    );
  }
}
