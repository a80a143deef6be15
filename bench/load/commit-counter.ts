import pg from 'pg';

/** Counts transactions that wrote, over the whole cluster: each takes one id, and the count is never late. */
export class CommitCounter {
  private readonly client: pg.Client;
  private from: Promise<number> = Promise.resolve(0);
  private to: Promise<number> = Promise.resolve(0);

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async open(databaseUrl: string | null): Promise<CommitCounter | null> {
    if (databaseUrl === null) return null;
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    return new CommitCounter(client);
  }

  begin(): void {
    this.from = this.read();
  }

  end(): void {
    this.to = this.read();
  }

  async count(): Promise<number> {
    const count = (await this.to) - (await this.from);
    await this.client.end();
    return count;
  }

  private async read(): Promise<number> {
    const { rows } = await this.client.query<{ n: string }>(
      'select pg_snapshot_xmax(pg_current_snapshot())::text n',
    );
    return Number(rows[0]?.n ?? 0);
  }
}
