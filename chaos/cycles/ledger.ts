import type { TableRow } from '../rig/server.ts';

export interface Promised {
  seq: number;
  client_id: string;
  text: string;
}

/** What was promised in one booking, against what the table holds. Whatever is wrong is kept as a sentence. */
export class Ledger {
  readonly wrong: string[] = [];
  readonly acked = new Map<string, Promised>();
  /** Said, and not answered yet. */
  readonly open = new Map<string, string>();
  stored = 0;
  /** Acked messages that are not in the table: what must stay 0. */
  lost = 0;

  ack(client_id: string, message: { seq: number; body: { text: string } }): void {
    const before = this.acked.get(client_id);
    if (before !== undefined && before.seq !== message.seq)
      this.wrong.push(`${client_id} was acked as ${before.seq} and as ${message.seq}`);
    this.open.delete(client_id);
    this.acked.set(client_id, { seq: message.seq, client_id, text: message.body.text });
  }

  /** Compares what was acked after a seq with the rows after it; 0 compares everything that was ever acked. */
  compare(rows: readonly TableRow[], after: number): void {
    this.stored = after + rows.length;
    const seen = new Set<string>();
    for (const [index, { seq, client_id }] of rows.entries()) {
      if (seq !== after + index + 1) {
        this.wrong.push(`seq ${seq} is at place ${after + index + 1}`);
        break;
      }
      if (seen.has(client_id)) this.wrong.push(`${client_id} is stored twice`);
      seen.add(client_id);
      if (!this.acked.has(client_id) && !this.open.has(client_id))
        this.wrong.push(`${client_id} was never said`);
    }
    this.lost = 0;
    for (const { seq, client_id, text } of this.acked.values()) {
      if (seq <= after) continue;
      const row = rows[seq - after - 1];
      if (row?.client_id === client_id && row.body === JSON.stringify({ text })) continue;
      this.lost += 1;
      if (this.lost <= 3)
        this.wrong.push(
          `${client_id} was acked as ${seq}, where the table has ${row?.client_id ?? 'nothing'}`,
        );
    }
  }
}
