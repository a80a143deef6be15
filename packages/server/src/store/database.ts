import { Kysely, PostgresDialect, type PostgresPoolClient, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import type { ChatLogger, DatabaseLocation } from '../chat.options.js';
import { Deadlines } from '../deadlines.js';
import type { BindMessage } from './bind-message.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres.js';
import { endIdleOneByOne } from './idle-connections.js';
import { Lease, SILENCE_TIMEOUT_MS } from './lease.js';
import { migrationProvider } from './migrations/index.js';
import type { Row, Statement } from './prepared-queries.js';
import type { Tables } from './schema.js';
import { SteadyConnection } from './steady-connection.js';
import { storeError } from './store-error.js';

/** One statement may take this long before PostgreSQL rolls it back: the caller hears `unavailable` within 2 s. */
const STATEMENT_TIMEOUT_MS = 1_500;
const CONNECT_TIMEOUT_MS = 1_200;
/** A connection that nobody needed for so long may end. */
const IDLE_MS = 60_000;
/**
 * What is asked all the time is planned once, by its indexes: what the planner thinks of a table that was small when it looked
 * stays in its cache while the table grows.
 */
const PLANS =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off';
/** Who holds the row of one booking for long holds up its senders only: there is time to append the rest. */
const APPEND_LOCK_TIMEOUT_MS = 400;
const APPEND_OPTIONS = `${PLANS} -c lock_timeout=${APPEND_LOCK_TIMEOUT_MS}`;
const INT8 = 20;

const types: pg.CustomTypesConfig = {
  // Internal numbers stay below 2^53; pg would hand int8 over as text.
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((value: string) => unknown) =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format) as (value: string) => unknown),
};

/** The database could not be reached or migrated at start: a sentence for the person who starts the server. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError';
}

/**
 * pg tells a broken connection to the query that runs on it and, besides, as an event that ends the process when
 * nobody listens; its pool listens only while a connection is idle.
 */
const withoutFatalErrors = (pool: pg.Pool): pg.Pool =>
  pool.on('connect', (client) => void client.on('error', () => undefined));

/**
 * PostgreSQL behind a pool, a connection for the append writer alone, so that slow reads never hold up the log, and one for what each
 * handshake asks.
 */
export class Database {
  readonly kysely: Kysely<Tables>;
  readonly pool: pg.Pool;
  readonly writer: SteadyConnection;
  private readonly handshakes: SteadyConnection;
  private readonly silence = new Deadlines(SILENCE_TIMEOUT_MS, 'no database connection was free in time');

  private constructor(
    readonly config: pg.PoolConfig,
    private readonly embedded: EmbeddedPostgres | undefined,
    log: ChatLogger,
  ) {
    const pool = (name: string, max: number, options = '') => {
      const created = new pg.Pool({
        ...config,
        options: [config.options, options].filter(Boolean).join(' '),
        max,
        types,
        application_name: `curbline-${name}`,
        statement_timeout: STATEMENT_TIMEOUT_MS,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
      });
      // An idle connection that breaks must not end the process; the next query opens a new one.
      created.on('error', (error) => log.warn(`database connection lost: ${error.message}`));
      return endIdleOneByOne(withoutFatalErrors(created), IDLE_MS);
    };
    this.pool = pool('read', 8);
    this.writer = new SteadyConnection(pool('write', 2, APPEND_OPTIONS), SILENCE_TIMEOUT_MS);
    this.handshakes = new SteadyConnection(pool('handshakes', 2, PLANS), SILENCE_TIMEOUT_MS);
    this.kysely = new Kysely<Tables>({
      dialect: new PostgresDialect({
        pool: { options: {}, connect: () => this.connect(), end: () => this.pool.end() },
      }),
    });
  }

  /** Starts or reaches PostgreSQL, brings the tables up to date, and is ready for queries. */
  static async open(
    location: DatabaseLocation,
    schema: string | undefined,
    log: ChatLogger,
  ): Promise<Database> {
    const embedded =
      'dataDir' in location
        ? await startEmbeddedPostgres({ dataDir: location.dataDir, log: (line) => log.debug(line) })
        : undefined;
    const place: pg.PoolConfig = embedded
      ? { ...embedded.connection, ssl: false }
      : { connectionString: 'url' in location ? location.url : '' };
    const config = schema === undefined ? place : { ...place, options: `-c search_path=${schema}` };
    const database = new Database(config, embedded, log);
    try {
      await migrate(config, schema);
    } catch (error) {
      await database.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new DatabaseStartError(`The database cannot be used: ${reason}`, { cause: error });
    }
    return database;
  }

  /** What a person should know about where the embedded cluster lies. */
  get notes(): readonly string[] {
    return this.embedded?.notes ?? [];
  }

  get clusterDir(): string | undefined {
    return this.embedded?.clusterDir;
  }

  /** Rows of one statement. With a name it is prepared once for each connection. */
  async rows<R extends pg.QueryResultRow>(text: string, values: unknown[], name?: string): Promise<R[]> {
    try {
      const lease = await this.lease();
      try {
        return (await lease.query<R>(name === undefined ? { text, values } : { name, text, values })).rows;
      } finally {
        lease.release();
      }
    } catch (error) {
      throw storeError(error);
    }
  }

  /** The same for one statement at a time, on a connection of its own: without what a pool does for each query. */
  async check(statement: Statement, fill: (message: BindMessage) => void): Promise<Row[]> {
    try {
      return await this.handshakes.ask(statement, fill);
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Runs a typed query; trouble that passes comes out as `unavailable`. */
  async run<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    try {
      return await work(this.kysely);
    } catch (error) {
      throw storeError(error);
    }
  }

  /** One transaction; a deadlock or a failed serialisation is tried once more, nothing was kept of it. */
  async transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
    const once = () => this.kysely.transaction().execute(work);
    try {
      return await once().catch((error: unknown) => {
        if (error instanceof pg.DatabaseError && (error.code === '40P01' || error.code === '40001'))
          return once();
        throw error;
      });
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Answers when PostgreSQL does and is not read-only; throws `unavailable` otherwise. */
  async ping(): Promise<void> {
    const [row] = await this.rows<{ in_recovery: boolean }>('SELECT pg_is_in_recovery() AS in_recovery', []);
    if (row?.in_recovery) throw storeError(Object.assign(new Error('read only'), { code: '25006' }));
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.pool.end(), this.writer.close(), this.handshakes.close()]);
    await this.embedded?.stop();
  }

  private async lease(): Promise<Lease> {
    const askedAtMs = performance.now();
    const opening = this.pool.connect();
    try {
      return new Lease(await this.silence.within(opening), askedAtMs);
    } catch (error) {
      // It may still come, when nobody waits for it any more.
      opening.then(
        (client) => client.release(),
        () => undefined,
      );
      throw error;
    }
  }

  private async connect(): Promise<PostgresPoolClient> {
    const lease = await this.lease();
    // A cast, because kysely's type has cursors too, which it asks for only when it is given a cursor class.
    const query = ((text: string, values: unknown[]) =>
      lease.query({ text, values })) as unknown as PostgresPoolClient['query'];
    return { query, release: () => lease.release() };
  }
}

/** Any number, the same in every version: whoever holds it is the one that migrates. */
const MIGRATION_LOCK = 4_107_221_953;

/** Without time limits: it may have to wait while another node, started at the same time, migrates. */
async function migrate(config: pg.PoolConfig, schema: string | undefined): Promise<void> {
  const pool = withoutFatalErrors(
    new pg.Pool({ ...config, max: 2, application_name: 'curbline-migrate', connectionTimeoutMillis: 10_000 }),
  );
  pool.on('error', () => undefined);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    const guard = await pool.connect();
    try {
      // kysely makes its own tables before it takes its own lock; several nodes may meet on an empty database.
      await guard.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      if (schema !== undefined) await db.schema.createSchema(schema).ifNotExists().execute();
      const migrator = new Migrator({
        db,
        provider: migrationProvider,
        migrationTableName: 'curbline_migrations',
        migrationLockTableName: 'curbline_migrations_lock',
      });
      const { error } = await migrator.migrateToLatest();
      if (error !== undefined)
        throw error instanceof Error ? error : new Error('a migration failed', { cause: error });
    } finally {
      // Closing the session gives the lock back, whatever happened.
      guard.release(true);
    }
  } finally {
    await db.destroy();
  }
}
