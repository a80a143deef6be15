import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { backendOf, bookingsOf, type Booking } from './connection.ts';
import { appendBy, type Append, type Entry } from './encodings.ts';
import { LatencyRecorder } from './latency.ts';
import { runWatch } from './proc.ts';
import type { BatchSide, Turn } from './spec.ts';
import { SETTLE, usEach, type Taker } from './taker.ts';

const DRIVER = 1;
const TEXT_KIND = 1;

/** Batches of messages, stored one after the other by one connection. What it calls the server's CPU is this process'. */
export class BatchTaker implements Taker {
  private readonly side: BatchSide;
  private readonly client: pg.Client;
  private readonly body: string;
  private backend = 0;
  private bookings: readonly Booking[] = [];
  private asked = 0;
  private append: Append | undefined;

  constructor(side: BatchSide, textBytes: number) {
    this.side = side;
    this.body = JSON.stringify({ text: 'x'.repeat(textBytes) });
    this.client = new pg.Client({ connectionString: side.databaseUrl, options: side.options });
  }

  get answered(): number {
    return this.asked;
  }

  async connect(): Promise<void> {
    const { client } = this;
    await client.connect();
    this.backend = await backendOf(client);
    this.bookings = await bookingsOf(client);
    this.append = await appendBy(this.side.encoding, client);
  }

  async turn(turnMs: number): Promise<Turn> {
    const start = performance.now();
    const from = start + turnMs * SETTLE;
    const to = start + turnMs;
    const latency = new LatencyRecorder();
    let cpu: { database: () => number; own: NodeJS.CpuUsage } | undefined;
    let counted = 0;
    for (let now = start; now < to;) {
      if (cpu === undefined && now >= from)
        cpu = { database: runWatch([this.backend]), own: process.cpuUsage() };
      const batch = this.batch();
      const asked = performance.now();
      await this.append?.(batch);
      now = performance.now();
      if (cpu === undefined) continue;
      latency.record(now - asked);
      counted += batch.length;
    }
    const own = process.cpuUsage(cpu?.own);
    return {
      perSecond: counted / ((to - from) / 1000),
      p50Us: latency.summary().p50,
      serverUs: usEach((own.user + own.system) / 1e6, counted),
      databaseUs: usEach(cpu?.database() ?? 0, counted),
    };
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** One message of the driver for each of the next bookings in turn. */
  private batch(): Entry[] {
    const { bookings, body } = this;
    return Array.from({ length: this.side.size }, (): Entry => {
      const { no, driver_no, epoch } = bookings[this.asked++ % bookings.length]!;
      return {
        bookingNo: Number(no),
        epoch,
        senderNo: Number(driver_no),
        scope: DRIVER,
        clientId: randomUUID(),
        flags: 0,
        kind: TEXT_KIND,
        id: randomUUID(),
        body,
      };
    }).sort((one, other) => one.bookingNo - other.bookingNo);
  }
}
