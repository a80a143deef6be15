import { setTimeout as sleep } from 'node:timers/promises';
import { CommitCounter } from './commit-counter.ts';
import { LateQuarters } from './late.ts';
import { LatencyRecorder } from './latency.ts';
import { openAll, type Peer } from './peer.ts';
import { CpuWatch } from './proc.ts';
import type { CpuUse, MessagesResult, MessagesSpec } from './spec.ts';

/** Messages that may be under way at once; more means that the server does not keep up at all. */
const SLOTS = 2 ** 20;
const DRAIN_MS = 15_000;
const ACKED = 1;
const DELIVERED = 2;

/** Sends numbered texts between pairs and times each one to its ack and to its delivery. */
class MessageLoad {
  private readonly spec: MessagesSpec;
  private readonly filler: string;
  private readonly sentAt = new Float64Array(SLOTS);
  private readonly state = new Uint8Array(SLOTS);
  private readonly ack = new LatencyRecorder();
  private readonly delivery = new LatencyRecorder();
  private readonly late = new LateQuarters();
  private readonly total = { sent: 0, acked: 0, refused: 0, delivered: 0, twice: 0 };
  private readonly window = { from: Infinity, to: Infinity, sent: 0, acked: 0, delivered: 0 };
  private senders: Peer[] = [];
  private firstRefusal: string | null = null;
  private broken: string | null = null;
  private stopped = false;
  private commits: CommitCounter | null = null;

  constructor(spec: MessagesSpec) {
    this.spec = spec;
    this.filler = 'on my way, two minutes '
      .repeat(1 + spec.textBytes / 20)
      .slice(0, Math.max(0, spec.textBytes - 11));
  }

  async run(): Promise<MessagesResult> {
    this.commits = await CommitCounter.open(this.spec.databaseUrl);
    const seats = this.spec.pairs.flatMap((pair) => [
      { pair, seat: pair.driver },
      { pair, seat: pair.customer },
    ]);
    const peers = await openAll(seats, ({ pair, seat }, index) => ({
      port: this.spec.port,
      dialect: this.spec.dialect,
      tokenPlace: this.spec.tokenPlace,
      token: seat.token,
      join: pair.booking_id,
      onAck: (n, refusal) => this.acked(peers[index]!, n, refusal),
      onDelivery: (n) => this.delivered(n),
      onClose: (reason) => {
        this.broken ??= reason;
      },
    }));
    this.senders = this.spec.senders === 'both' ? peers : peers.filter((_, index) => index % 2 === 0);
    const { loop } = this.spec;
    const watch = new CpuWatch(this.spec.watch);
    const { cpu, seconds } =
      loop.kind === 'open' ? await this.openLoop(loop.rate, watch) : await this.closedLoop(loop, watch);
    await this.drain();
    for (const peer of peers) peer.destroy();
    if (this.broken !== null) throw new Error(`a socket closed under load: ${this.broken}`);
    const { window } = this;
    return {
      seconds,
      sent: window.sent,
      acked: window.acked,
      delivered: window.delivered,
      ackedPerSecond: window.acked / seconds,
      deliveredPerSecond: window.delivered / seconds,
      ack: this.ack.summary(),
      delivery: this.delivery.summary(),
      cpu,
      commits: (await this.commits?.count()) ?? null,
      beganMs: performance.timeOrigin + window.from,
      late: this.late.all,
      total: this.total,
      firstRefusal: this.firstRefusal,
    };
  }

  private async closedLoop(
    { kind, inFlight }: { kind: 'closed' | 'rotating'; inFlight: number },
    watch: CpuWatch,
  ): Promise<{ cpu: CpuUse; seconds: number }> {
    const first = kind === 'closed' ? inFlight * this.senders.length : inFlight;
    for (let i = 0; i < first; i += 1) this.sendNext();
    await sleep(this.spec.warmupMs);
    watch.begin();
    this.commits?.begin();
    this.window.from = performance.now();
    await sleep(this.spec.measureMs);
    this.window.to = performance.now();
    this.commits?.end();
    this.stopped = true;
    return { cpu: watch.end(), seconds: (this.window.to - this.window.from) / 1000 };
  }

  /** Sends at fixed times, whatever the server does; latency counts from the time that was due, not from the write. */
  private openLoop(rate: number, watch: CpuWatch): Promise<{ cpu: CpuUse; seconds: number }> {
    const everyMs = 1000 / rate;
    const start = performance.now() + 10;
    const from = start + this.spec.warmupMs;
    const to = from + this.spec.measureMs;
    let due = start;
    let measured = false;
    return new Promise((resolve) => {
      const turn = () => {
        const now = performance.now();
        if (!measured && now >= from) {
          measured = true;
          watch.begin();
          this.commits?.begin();
          this.window.from = from;
          this.window.to = to;
        }
        while (due <= now && due < to) {
          this.sendNext(due);
          due += everyMs;
        }
        if (now >= to || this.broken !== null || this.underWay() >= SLOTS / 2) {
          this.stopped = true;
          this.commits?.end();
          resolve({ cpu: watch.end(), seconds: this.spec.measureMs / 1000 });
        } else setImmediate(turn);
      };
      turn();
    });
  }

  /** From the next sender in turn. */
  private sendNext(at = performance.now()): void {
    const peer = this.senders[this.total.sent % this.senders.length]!;
    this.send(peer, at);
    peer.flush();
  }

  private underWay(): number {
    return this.total.sent - this.total.acked - this.total.refused;
  }

  private send(peer: Peer, at: number): void {
    const n = (this.total.sent += 1);
    const slot = n % SLOTS;
    this.sentAt[slot] = at;
    this.state[slot] = 0;
    if (at >= this.window.from && at < this.window.to) this.window.sent += 1;
    peer.push(n, this.spec.run, this.filler);
  }

  private acked(peer: Peer, n: number, refusal: string | null): void {
    if (refusal !== null) {
      this.firstRefusal ??= refusal;
      this.total.refused += 1;
    } else this.settle(n, ACKED);
    if (this.stopped) return;
    // Each answer makes room for one more; in the closed loop it goes out when the turn of this socket ends.
    if (this.spec.loop.kind === 'closed') this.send(peer, performance.now());
    else if (this.spec.loop.kind === 'rotating') this.sendNext();
  }

  private delivered(n: number): void {
    this.settle(n, DELIVERED);
  }

  private settle(n: number, what: number): void {
    const slot = n % SLOTS;
    const state = this.state[slot]!;
    if ((state & what) !== 0) {
      this.total.twice += 1;
      return;
    }
    this.state[slot] = state | what;
    const now = performance.now();
    const at = this.sentAt[slot]!;
    const { window } = this;
    const counted = at >= window.from && at < window.to;
    const arrived = now >= window.from && now < window.to;
    if (what === ACKED) {
      this.total.acked += 1;
      if (arrived) window.acked += 1;
      if (counted) this.ack.record(now - at);
    } else {
      this.total.delivered += 1;
      if (arrived) window.delivered += 1;
      if (counted) {
        this.delivery.record(now - at);
        this.late.record(at - window.from, now - at);
      }
    }
  }

  private async drain(): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    while (performance.now() < until && this.broken === null) {
      if (this.underWay() === 0 && this.total.delivered >= this.total.acked) break;
      await sleep(20);
    }
    await sleep(50);
  }
}

export function runMessages(spec: MessagesSpec): Promise<MessagesResult> {
  return new MessageLoad(spec).run();
}
