import type pg from 'pg';

/** A booking that is there, with what an append needs to know of it. */
export interface Booking {
  no: string;
  driver_no: string;
  epoch: number;
}

export const bookingsOf = async (client: pg.Client): Promise<Booking[]> =>
  (await client.query<Booking>('select no, driver_no, epoch from bookings order by no')).rows;

/** The process that serves this connection. */
export const backendOf = async (client: pg.Client): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() pid')).rows[0]?.pid ?? 0;

/** With types, which pg's own queries cannot be given: it is told that it has prepared the statement already. */
export async function prepareTyped(
  client: pg.Client,
  name: string,
  sql: string,
  types: readonly number[],
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select oid::regtype::text as name from unnest($1::oid[]) with ordinality as t (oid, place) order by place',
    [types],
  );
  await client.query(`prepare ${name} (${rows.map((type) => type.name).join(', ')}) as ${sql}`);
  const { connection } = client as unknown as { connection: { parsedStatements: Record<string, string> } };
  connection.parsedStatements[name] = sql;
}
