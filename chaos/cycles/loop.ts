import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs } from '../clients/recorder.ts';
import type { BlowTrace } from '../plot/in-flight.ts';
import { FROM_MS, TO_MS, TRACES } from '../plot/plot.ts';
import { OUT } from '../rig/paths.ts';
import type { Random } from '../rig/random.ts';
import type { Server } from '../rig/server.ts';
import { sleep, until } from '../rig/shell.ts';
import { Ledger } from './ledger.ts';
import { Sender } from './senders.ts';

const AT_ONCE = 16;
const SAMPLE_EVERY_MS = 5;
const ANSWERED_WITHIN_MS = 60_000;
const ACKS_BEFORE = 10;
/** Cycles between comparisons of everything; the others look at what came since. */
const WHOLE_EVERY = 25;
/** Cycles between those that are left alone long enough to be drawn; chosen by count, so that no speed is preferred. */
const DRAWN_EVERY = 5;

export interface Cycle {
  kind: string;
  /** Messages without an answer at the moment of the blow. */
  inFlight: number;
  /** Acked since the last blow. */
  acked: number;
  /** From the blow to the first ack after it. */
  backAfterMs: number;
}

/** One fold for all senders: 2 bookings, 4 people, at least 64 messages always under way. */
export class Loop {
  readonly ledgers: Ledger[] = [];
  readonly cycles: Cycle[] = [];
  readonly #senders: Sender[] = [];
  readonly #server: Server;
  readonly #random: Random;
  readonly #folder: string;
  readonly #traces: BlowTrace[] = [];
  #trace: [number, number][] = [];
  #sampling: ReturnType<typeof setInterval> | undefined;

  constructor(name: string, server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    this.#folder = join(OUT, name);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
  }

  get #inFlight(): number {
    return this.#senders.reduce((sum, sender) => sum + sender.inFlight, 0);
  }

  get #acked(): number {
    return this.ledgers.reduce((sum, ledger) => sum + ledger.acked.size, 0);
  }

  async open(): Promise<void> {
    for (const id of ['k0', 'k1']) {
      await this.#server.makeBooking(id);
      const ledger = new Ledger();
      this.ledgers.push(ledger);
      for (const scope of ['driver', 'customer'] as const)
        this.#senders.push(new Sender({ user_id: `${id}-${scope}`, scope }, id, ledger, AT_ONCE));
    }
    this.#sampling = setInterval(() => this.#trace.push([nowMs(), this.#inFlight]), SAMPLE_EVERY_MS).unref();
    await this.#connect();
  }

  /** Lets messages flow, strikes at a moment of the seed's choice, waits for the recovery, and compares. */
  async cycle(
    kind: string,
    strike: () => Promise<void>,
    back: () => Promise<void>,
    reconnect: boolean,
  ): Promise<void> {
    const before = this.#acked;
    if (!(await until(() => this.#acked >= before + ACKS_BEFORE, ANSWERED_WITHIN_MS, 1)))
      throw new Error('nothing is answered');
    await sleep(this.#random.whole(0, 150));
    const drawn = (this.cycles.length + 1) % DRAWN_EVERY === 0;
    if (drawn) await this.#calm();
    const [acked, inFlight, at] = [this.#acked - before, this.#inFlight, nowMs()];
    const during = this.#acked;
    await strike();
    if (reconnect) for (const sender of this.#senders) sender.leave();
    await back();
    if (reconnect) await this.#connect();
    if (!(await until(() => this.#acked > during, ANSWERED_WITHIN_MS, 1)))
      throw new Error(`${kind}: nothing is answered after it`);
    const cycle = { kind, inFlight, acked, backAfterMs: Math.round(nowMs() - at) };
    this.cycles.push(cycle);
    if (drawn) await this.#draw(kind, at);
    this.#trace = this.#trace.slice(-(-FROM_MS / SAMPLE_EVERY_MS));
    await this.#compare(this.cycles.length % WHOLE_EVERY === 0);
    appendFileSync(join(this.#folder, 'cycles.jsonl'), `${JSON.stringify({ ...cycle, lost: this.lost })}\n`);
  }

  /** Everything is answered at last; then the table is compared once more. */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    for (const sender of this.#senders) sender.quiet();
    const empty = await until(() => this.#inFlight === 0, ANSWERED_WITHIN_MS, 10);
    if (!empty) this.ledgers[0]?.wrong.push(`${this.#inFlight} messages were never answered`);
    await this.#compare(true);
    for (const sender of this.#senders) sender.leave();
  }

  /** For a plot at any time later. */
  keepTraces(): void {
    writeFileSync(join(this.#folder, TRACES), JSON.stringify(this.#traces));
  }

  get lost(): number {
    return this.ledgers.reduce((sum, ledger) => sum + ledger.lost, 0);
  }

  get wrong(): string[] {
    return this.ledgers.flatMap((ledger) => ledger.wrong);
  }

  /** One line with every figure. */
  summary(): string {
    const back = this.cycles.map(({ backAfterMs }) => backAfterMs).toSorted((one, other) => one - other);
    const middle = back[back.length >> 1] ?? 0;
    const flight = this.cycles.map(({ inFlight }) => inFlight);
    const stored = this.ledgers.reduce((sum, ledger) => sum + ledger.stored, 0);
    const kinds = [...new Set(this.cycles.map(({ kind }) => kind))].map(
      (kind) => `${this.cycles.filter((one) => one.kind === kind).length} ${kind}`,
    );
    return (
      `${this.cycles.length} cycles (${kinds.join(', ')}): ${this.#acked} messages acked, ${stored} stored, ${this.lost} acked lost, ` +
      `${this.wrong.length} other faults; in flight at the blow: ${Math.min(...flight)} to ${Math.max(...flight)}; ` +
      `first ack after the blow: ${middle} ms (median), ${back.at(-1) ?? 0} ms (worst)`
    );
  }

  /** What the last blow held up is answered, and the time that is drawn before a blow has passed. */
  async #calm(): Promise<void> {
    await until(() => this.#inFlight <= this.#senders.length * (AT_ONCE + 1), ANSWERED_WITHIN_MS, 5);
    await sleep(-FROM_MS);
  }

  async #draw(kind: string, at: number): Promise<void> {
    await sleep(at + TO_MS - nowMs());
    const near = this.#trace.filter(([t]) => t >= at + FROM_MS && t <= at + TO_MS);
    this.#traces.push({ kind, points: near.map(([t, value]) => [Math.round(t - at), value]) });
  }

  async #connect(): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.connect(this.#server.url)));
  }

  /** The table first, then what was acked before it was read: an ack that comes meanwhile is not held against it. */
  async #compare(whole: boolean): Promise<void> {
    for (const [index, ledger] of this.ledgers.entries()) {
      const acked = new Map(ledger.acked);
      const after = whole ? 0 : ledger.stored;
      const rows = await this.#server.table(`k${index}`, after);
      const now = new Map(ledger.acked);
      for (const client_id of now.keys()) if (!acked.has(client_id)) ledger.acked.delete(client_id);
      const later = [...now].filter(([client_id]) => !acked.has(client_id));
      for (const [client_id, { text }] of later) ledger.open.set(client_id, text);
      ledger.compare(rows, after);
      for (const [client_id, promised] of later) {
        ledger.open.delete(client_id);
        ledger.acked.set(client_id, promised);
      }
    }
  }
}
