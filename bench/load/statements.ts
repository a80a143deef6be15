import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { backendOf, bookingsOf, prepareTyped, type Booking } from './connection.ts';
import { LatencyRecorder } from './latency.ts';
import { runWatch } from './proc.ts';
import type { StatementSide, Turn } from './spec.ts';
import { SETTLE, usEach, type Taker } from './taker.ts';

type Values = readonly (string | number | null)[];
type Ask = (values: Values) => Promise<unknown>;

const NAME = 'asked';

/**
 * One statement on a connection of its own, which commits by itself: asked so many times a second, and timed from when each was due. Its
 * CPU is that of the one backend.
 */
export class StatementTaker implements Taker {
  private readonly side: StatementSide;
  private readonly rate: number;
  private readonly client: pg.Client;
  private backend = 0;
  private bookings: Booking[] = [];
  private asked = 0;

  constructor(side: StatementSide, rate: number) {
    this.side = side;
    this.rate = rate;
    this.client = new pg.Client({ connectionString: side.databaseUrl, options: side.options });
  }

  get answered(): number {
    return this.asked;
  }

  async connect(): Promise<void> {
    const { client, side } = this;
    await client.connect();
    this.backend = await backendOf(client);
    for (const statement of side.before) await client.query(statement);
    if (side.types.length > 0) await prepareTyped(client, NAME, side.sql, side.types);
    if (side.values.includes('booking')) this.bookings = await bookingsOf(client);
  }

  async turn(turnMs: number): Promise<Turn> {
    const everyMs = 1000 / this.rate;
    const start = performance.now();
    const from = start + turnMs * SETTLE;
    const ask: Ask = (values) => this.client.query({ name: NAME, text: this.side.sql, values: [...values] });
    const latency = new LatencyRecorder();
    let cpu: (() => number) | undefined;
    let counted = 0;
    for (let due = start; due < start + turnMs; due += everyMs) {
      while (performance.now() < due) await new Promise(setImmediate);
      if (cpu === undefined && due >= from) cpu = runWatch([this.backend]);
      await ask(this.values());
      if (cpu === undefined) continue;
      latency.record(performance.now() - due);
      counted += 1;
    }
    const seconds = (turnMs * (1 - SETTLE)) / 1000;
    const databaseUs = usEach(cpu?.() ?? 0, counted);
    return {
      perSecond: counted / seconds,
      p50Us: latency.summary().p50,
      serverUs: 0,
      databaseUs,
    };
  }

  async close(): Promise<void> {
    for (const statement of this.side.after) await this.client.query(statement);
    await this.client.end();
  }

  private values(): Values {
    this.asked += 1;
    const booking = this.bookings[this.asked % Math.max(1, this.bookings.length)];
    return this.side.values.map((value) => {
      if (value === 'booking') return booking?.no ?? null;
      if (value === 'driver') return booking?.driver_no ?? null;
      if (value === 'epoch') return booking?.epoch ?? null;
      if (value === 'uuid') return randomUUID();
      if (value === 'next') return this.asked;
      return value;
    });
  }
}
