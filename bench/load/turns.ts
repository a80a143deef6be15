import { setTimeout as sleep } from 'node:timers/promises';
import { BatchTaker } from './batches.ts';
import { LatencyRecorder } from './latency.ts';
import { openAll, type Peer } from './peer.ts';
import { runWatch, treePids } from './proc.ts';
import type { ServerSide, Turn, TurnsResult, TurnsSpec } from './spec.ts';
import { StatementTaker } from './statements.ts';
import { SETTLE, usEach, type Taker } from './taker.ts';

const SLOTS = 2 ** 16;
const DRAIN_MS = 5_000;

/** One of the servers that take turns: its people stay connected, and send while it has its turn. */
class ServerTaker implements Taker {
  private readonly spec: TurnsSpec;
  private readonly side: ServerSide;
  private readonly filler: string;
  private readonly sentAt = new Float64Array(SLOTS);
  private peers: Peer[] = [];
  private sent = 0;
  answered = 0;
  private active = false;
  private counted: { acked: number; ack: LatencyRecorder } | undefined;
  private broken: string | null = null;

  constructor(spec: TurnsSpec, side: ServerSide) {
    this.spec = spec;
    this.side = side;
    this.filler = 'x'.repeat(Math.max(0, spec.textBytes - 11));
  }

  async connect(): Promise<void> {
    const { port, dialect, tokenPlace, pairs } = this.side;
    const seats = pairs.flatMap((pair) => [
      { pair, seat: pair.driver },
      { pair, seat: pair.customer },
    ]);
    this.peers = await openAll(seats, ({ pair, seat }, index) => ({
      port,
      dialect,
      tokenPlace,
      token: seat.token,
      join: pair.booking_id,
      onAck: (n, refusal) => this.acked(this.peers[index]!, n, refusal),
      onClose: (reason) => {
        this.broken ??= reason;
      },
    }));
  }

  async turn(turnMs: number): Promise<Turn> {
    const { loop } = this.spec;
    const database = treePids(this.spec.database);
    const start = performance.now();
    const from = start + turnMs * SETTLE;
    const to = start + turnMs;
    const cpu = () => ({ server: runWatch([this.side.server]), database: runWatch(database) });
    this.active = true;
    if (loop.kind === 'closed') for (const peer of this.peers) this.send(peer, start);
    else if (loop.kind === 'rotating') for (let i = 0; i < loop.inFlight; i += 1) this.sendNext(start);
    let due = start;
    let before: ReturnType<typeof cpu> | undefined;
    const counted = { acked: 0, ack: new LatencyRecorder() };
    for (let now = start; now < to; now = performance.now()) {
      if (before === undefined && now >= from) {
        before = cpu();
        this.counted = counted;
      }
      if (loop.kind === 'open') {
        for (; due <= now; due += 1000 / loop.rate) this.sendNext(due);
      }
      await new Promise(setImmediate);
    }
    const [server, base] = [before?.server() ?? 0, before?.database() ?? 0];
    this.counted = undefined;
    this.active = false;
    await this.drain();
    return {
      perSecond: counted.acked / ((to - from) / 1000),
      p50Us: counted.ack.summary().p50,
      serverUs: usEach(server, counted.acked),
      databaseUs: usEach(base, counted.acked),
    };
  }

  close(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    return Promise.resolve();
  }

  private sendNext(at: number): void {
    this.send(this.peers[this.sent % this.peers.length]!, at);
  }

  private send(peer: Peer, at: number): void {
    this.sent += 1;
    this.sentAt[this.sent % SLOTS] = at;
    peer.push(this.sent, this.spec.run, this.filler);
    peer.flush();
  }

  private acked(peer: Peer, n: number, refusal: string | null): void {
    this.answered += 1;
    if (refusal !== null) this.broken ??= refusal;
    const now = performance.now();
    if (this.counted !== undefined) {
      this.counted.acked += 1;
      this.counted.ack.record(now - this.sentAt[n % SLOTS]!);
    }
    if (!this.active) return;
    if (this.spec.loop.kind === 'closed') this.send(peer, now);
    else if (this.spec.loop.kind === 'rotating') this.sendNext(now);
  }

  private async drain(): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    while (this.answered < this.sent && performance.now() < until) await sleep(2);
    if (this.broken !== null) throw new Error(`a side of the comparison failed: ${this.broken}`);
    if (this.answered < this.sent) throw new Error('a message had no answer');
  }
}

/** Servers and statements that are all there the whole time take short turns, so that what the machine does next it does to all of them. */
export async function runTurns(spec: TurnsSpec): Promise<TurnsResult> {
  const rate = spec.loop.kind === 'open' ? spec.loop.rate : 0;
  const takers = spec.sides.map((side): Taker => {
    if (side.kind === 'server') return new ServerTaker(spec, side);
    return side.kind === 'batch' ? new BatchTaker(side, spec.textBytes) : new StatementTaker(side, rate);
  });
  for (const taker of takers) await taker.connect();
  await sleep(spec.restMs);
  const turns: Turn[][] = takers.map(() => []);
  for (let round = -spec.warmup; round < spec.turns; round += 1) {
    // Whoever is first after the round's end is another one each time.
    for (let place = 0; place < takers.length; place += 1) {
      const index = (place + round + spec.warmup) % takers.length;
      const turn = await takers[index]!.turn(spec.turnMs);
      if (round >= 0) turns[index]!.push(turn);
    }
  }
  for (const taker of takers) await taker.close();
  return { turns, answered: takers.map(({ answered }) => answered) };
}
