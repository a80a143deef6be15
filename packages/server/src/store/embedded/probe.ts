import pg from 'pg';
import { EmbeddedPostgresError, errorCode, errorText } from './embedded-postgres-error.js';

/** Names the socket's file only (.s.PGSQL.5432): nothing listens on TCP. */
export const SOCKET_PORT = 5432;

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** ready: takes queries; starting: alive, but recovering, full, or on its way out; down: nobody listens. */
export type ServerState = 'ready' | 'starting' | 'down';

const DATABASE_MISSING = '3D000';
const DATABASE_EXISTS = '42P04';
const CANNOT_CONNECT_NOW = '57P03';
const CONNECT_TIMEOUT_MS = 2_000;
const PATIENT_CONNECT_TIMEOUT_MS = 15_000;

/** Asks the server on the socket for its state. */
export async function probe(connection: Connection): Promise<ServerState> {
  try {
    await withClient({ ...connection, database: 'postgres' }, CONNECT_TIMEOUT_MS, async () => {});
    return 'ready';
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'down';
    if (code === 'EACCES' || code === 'EPERM') {
      throw new EmbeddedPostgresError(
        `The database's socket in ${connection.host} belongs to another user: start Curbline as the user who started it first.`,
        { cause: error },
      );
    }
    // Any other answer of the server (too many clients, a missing database) proves that it takes connections.
    return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && code !== CANNOT_CONNECT_NOW
      ? 'ready'
      : 'starting';
  }
}

/** Makes the database of the connection unless it is there. */
export async function ensureDatabase(connection: Connection): Promise<void> {
  try {
    await withClient(connection, PATIENT_CONNECT_TIMEOUT_MS, async () => {});
  } catch (error) {
    if (errorCode(error) !== DATABASE_MISSING) throw unreachable(error, connection);
    await createDatabase(connection);
  }
}

/** How many connections clients hold at the moment, ours not counted. */
export async function countClients(connection: Connection): Promise<number> {
  return withClient(connection, PATIENT_CONNECT_TIMEOUT_MS, async (client) => {
    const answer = await client.query<{ clients: number }>(
      `SELECT count(*)::int AS clients FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return answer.rows[0]?.clients ?? 0;
  });
}

async function createDatabase(connection: Connection): Promise<void> {
  try {
    await withClient({ ...connection, database: 'postgres' }, PATIENT_CONNECT_TIMEOUT_MS, async (client) => {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(connection.database)}`);
    });
  } catch (error) {
    if (errorCode(error) !== DATABASE_EXISTS) throw unreachable(error, connection);
  }
}

async function withClient<Result>(
  connection: Connection,
  timeoutMs: number,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    ...connection,
    ssl: false,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // A server that dies also raises an event; the call that waits for it fails with the same error.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

function unreachable(error: unknown, connection: Connection): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `PostgreSQL runs on ${connection.host}, but its database ${connection.database} cannot be used: ${errorText(error)}.`,
    { cause: error },
  );
}
