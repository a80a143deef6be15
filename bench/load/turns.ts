import { setTimeout as sleep } from 'node:timers/promises';
import { LatencyRecorder } from './latency.ts';
import { openAll, type Peer } from './peer.ts';
import { runWatch, treePids } from './proc.ts';
import type { Turn, TurnsResult, TurnsSide, TurnsSpec } from './spec.ts';

const SLOTS = 2 ** 16;
/** The first part of each turn is not counted: its caches are still the other side's. */
const SETTLE = 0.25;
const DRAIN_MS = 5_000;

/** One of the servers that take turns: its people stay connected, and send while it has its turn. */
class Side {
  private readonly spec: TurnsSpec;
  private readonly side: TurnsSide;
  private readonly filler: string;
  private readonly sentAt = new Float64Array(SLOTS);
  private peers: Peer[] = [];
  private sent = 0;
  private answered = 0;
  private active = false;
  private counted: { acked: number; ack: LatencyRecorder } | undefined;
  private broken: string | null = null;

  constructor(spec: TurnsSpec, side: TurnsSide) {
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

  /** One turn; what it found is of its later part. */
  async turn(): Promise<Turn> {
    const { turnMs, loop } = this.spec;
    const database = treePids(this.spec.database);
    const start = performance.now();
    const from = start + turnMs * SETTLE;
    const to = start + turnMs;
    const cpu = () => ({ server: runWatch([this.side.server]), database: runWatch(database) });
    this.active = true;
    if (loop.kind === 'closed') for (const peer of this.peers) this.send(peer, start);
    let due = start;
    let before: ReturnType<typeof cpu> | undefined;
    const counted = { acked: 0, ack: new LatencyRecorder() };
    for (let now = start; now < to; now = performance.now()) {
      if (before === undefined && now >= from) {
        before = cpu();
        this.counted = counted;
      }
      if (loop.kind === 'open') {
        for (; due <= now; due += 1000 / loop.rate)
          this.send(this.peers[this.sent % this.peers.length]!, due);
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
      serverUs: (server * 1e6) / counted.acked,
      databaseUs: (base * 1e6) / counted.acked,
    };
  }

  close(): void {
    for (const peer of this.peers) peer.destroy();
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
    if (this.active && this.spec.loop.kind === 'closed') this.send(peer, now);
  }

  private async drain(): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    while (this.answered < this.sent && performance.now() < until) await sleep(2);
    if (this.broken !== null) throw new Error(`a side of the comparison failed: ${this.broken}`);
    if (this.answered < this.sent) throw new Error('a message had no answer');
  }
}

/** Servers that are all there the whole time take short turns, so that what the machine does next it does to all of them. */
export async function runTurns(spec: TurnsSpec): Promise<TurnsResult> {
  const sides = spec.sides.map((side) => new Side(spec, side));
  for (const side of sides) await side.connect();
  await sleep(spec.restMs);
  const turns: Turn[][] = sides.map(() => []);
  for (let round = -spec.warmup; round < spec.turns; round += 1) {
    // Whoever is first after the round's end is another one each time.
    for (let place = 0; place < sides.length; place += 1) {
      const index = (place + round + spec.warmup) % sides.length;
      const turn = await sides[index]!.turn();
      if (round >= 0) turns[index]!.push(turn);
    }
  }
  for (const side of sides) side.close();
  return { turns };
}
