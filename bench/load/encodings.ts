import { join } from 'node:path';
import type pg from 'pg';
import { ROOT } from '../rig/paths.ts';
import type { Encoding } from './spec.ts';
import { prepareTyped } from './connection.ts';

/** What `packages/server/src/store` appends, by its build. */
export interface Entry {
  bookingNo: number;
  epoch: number;
  senderNo: number;
  scope: number;
  clientId: string;
  flags: number;
  kind: number;
  id: string;
  body: string;
}

interface Growth {
  bookingNo: number;
  epoch: number;
  after: number;
  count: number;
  driver: number;
  customer: number;
}

interface BindMessage {
  int8s(items: readonly Growth[], value: (item: Growth) => number): void;
  int4s(items: readonly Growth[], value: (item: Growth) => number): void;
  text(value: string): void;
}

interface Statement {
  name: string;
  text: string;
  types: readonly number[];
}

interface Store {
  STORE_ALL: Statement;
  growthOf: (sorted: readonly Entry[]) => Growth[];
  bindAll: (message: BindMessage, growth: readonly Growth[], sorted: readonly Entry[]) => void;
  PreparedQueries: new (client: pg.Client) => {
    ask(statement: Statement, fill: (message: BindMessage) => void): Promise<unknown>;
  };
}

/** Stores a batch, which is sorted by bookings; resolves after its commit. */
export type Append = (sorted: readonly Entry[]) => Promise<unknown>;

const DIST = join(ROOT, 'packages/server/dist/store');
/** PostgreSQL's number of the type. */
const JSON_TYPE = 114;
/** The heads of the bookings are six arrays in each of the statements. */
const HEADS = 6;
const COLUMNS =
  'no bigint, sender_no bigint, client_id uuid, flags smallint, kind smallint, id uuid, body text, i integer';
const UNNEST = `unnest($7::bigint[], $8::bigint[], $9::uuid[], $10::smallint[], $11::smallint[], $12::uuid[], $13::text[])
  WITH ORDINALITY AS e (no, sender_no, client_id, flags, kind, id, body, i)`;

async function store(): Promise<Store> {
  const parts = ['append-statements.js', 'prepared-queries.js'].map(
    (name) => import(join(DIST, name)) as Promise<Partial<Store>>,
  );
  return Object.assign({}, ...(await Promise.all(parts))) as Store;
}

/** Each way to hand the entries of a batch to PostgreSQL. The heads of their bookings travel alike in all, and grow by the same words. */
export async function appendBy(encoding: Encoding, client: pg.Client): Promise<Append> {
  const { STORE_ALL, growthOf, bindAll, PreparedQueries } = await store();
  const queries = new PreparedQueries(client);
  const heads = STORE_ALL.types.slice(0, HEADS);
  const statement = (entries: string, types: readonly number[]): Statement => ({
    name: 'batch',
    text: withLogFrom(entries, STORE_ALL.text),
    types,
  });
  const ways: Record<Encoding, () => Append | Promise<Append>> = {
    arrays: () => (sorted) => queries.ask(STORE_ALL, (message) => bindAll(message, growthOf(sorted), sorted)),
    unnest: () => {
      const unnest = statement(UNNEST, STORE_ALL.types);
      return (sorted) => queries.ask(unnest, (message) => bindAll(message, growthOf(sorted), sorted));
    },
    'unnest, as texts': async () => {
      const { name, text, types } = statement(UNNEST, STORE_ALL.types);
      await prepareTyped(client, name, text, types);
      return (sorted) => client.query({ name, text, values: valuesOf(growthOf(sorted), sorted) });
    },
    JSON: () => {
      const json = statement(`json_to_recordset($7) AS e (${COLUMNS})`, [...heads, JSON_TYPE]);
      return (sorted) =>
        queries.ask(json, (message) => {
          bindHeads(message, growthOf(sorted));
          message.text(JSON.stringify(sorted.map(rowOf)));
        });
    },
    COPY: async () => {
      await client.query(`create temp table batch (${COLUMNS}) on commit delete rows`);
      const copied = statement('batch e', heads);
      return async (sorted) => {
        await copyIn(client, 'BEGIN; COPY batch FROM STDIN', sorted.map(lineOf).join(''));
        await queries.ask(copied, (message) => bindHeads(message, growthOf(sorted)));
        await client.query('COMMIT');
      };
    },
  };
  return await ways[encoding]();
}

/** Curbline's statement with another source for the rows of the log: it keeps its first part and its answer. */
function withLogFrom(entries: string, ours: string): string {
  const [head] = ours.split(', log AS (', 1);
  return `${head}, log AS (
  INSERT INTO messages (booking_no, sender_no, created_at, seq, kind, flags, id, client_id, body)
  SELECT no, e.sender_no, active_at, last_seq - $3[at] - $4[at] + e.i, e.kind, e.flags, e.id, e.client_id, e.body
  FROM ${entries} JOIN head USING (no)
)${ours.slice(ours.lastIndexOf('\nSELECT array_agg('))}`;
}

/** What pg's own query is given, and what is bound: in the order of the statement's parameters. */
const headNo = ({ bookingNo }: Growth) => bookingNo;
const HEAD_COUNTS: readonly ((growth: Growth) => number)[] = [
  ({ epoch }) => epoch,
  ({ after }) => after,
  ({ count }) => count,
  ({ driver }) => driver,
  ({ customer }) => customer,
];
const ENTRY_FIELDS: readonly ((entry: Entry) => string | number)[] = [
  ({ bookingNo }) => bookingNo,
  ({ senderNo }) => senderNo,
  ({ clientId }) => clientId,
  ({ flags }) => flags,
  ({ kind }) => kind,
  ({ id }) => id,
  ({ body }) => body,
];

function bindHeads(message: BindMessage, growth: readonly Growth[]): void {
  message.int8s(growth, headNo);
  for (const count of HEAD_COUNTS) message.int4s(growth, count);
}

const valuesOf = (growth: readonly Growth[], sorted: readonly Entry[]): unknown[] => [
  growth.map(headNo),
  ...HEAD_COUNTS.map((count) => growth.map(count)),
  ...ENTRY_FIELDS.map((field) => sorted.map(field)),
];

const rowOf = (entry: Entry, index: number) => ({
  no: entry.bookingNo,
  sender_no: entry.senderNo,
  client_id: entry.clientId,
  flags: entry.flags,
  kind: entry.kind,
  id: entry.id,
  body: entry.body,
  i: index + 1,
});

/** COPY's text format: no body of the bench has a tab or a new line, which JSON escapes. */
const lineOf = (entry: Entry, index: number): string =>
  `${entry.bookingNo}\t${entry.senderNo}\t${entry.clientId}\t${entry.flags}\t${entry.kind}\t${entry.id}\t${entry.body.replaceAll('\\', '\\\\')}\t${index + 1}\n`;

interface CopyConnection {
  query(sql: string): void;
  sendCopyFromChunk(bytes: Buffer): void;
  endCopyFrom(): void;
}

/** Statements of which the last is a COPY. pg has the messages for it, and lets others write the query. */
function copyIn(client: pg.Client, sql: string, lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection: pg.Connection) => (connection as unknown as CopyConnection).query(sql),
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(Buffer.from(lines));
        connection.endCopyFrom();
      },
      // Each of the statements says so; the end is when PostgreSQL is ready again.
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(),
      handleError: reject,
    } as pg.Submittable);
  });
}
