import { ChatError } from './chat-error.js';

interface Waiting {
  readonly endsAtMs: number;
  readonly expire: () => void;
}

/**
 * One patience for many promises: what has not settled by then is answered `unavailable`, and goes on unheard. One
 * timer serves them all; a promise costs an entry in a set.
 */
export class Deadlines {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly patienceMs: number,
    private readonly reason: string,
  ) {}

  /**
   * Settles as the work does, or rejects with `unavailable` when patience ends first. It begins at `sinceMs` of the
   * process's own clock.
   */
  within<T>(work: Promise<T>, sinceMs: number = performance.now()): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        endsAtMs: sinceMs + this.patienceMs,
        expire: () =>
          reject(new ChatError('unavailable', { cause: new Error(this.reason), retryAfterMs: 1_000 })),
      };
      this.waiting.add(waiting);
      this.wakeBy(waiting.endsAtMs);
      work.then(resolve, reject).finally(() => this.waiting.delete(waiting));
    });
  }

  private wakeBy(atMs: number): void {
    if (this.wakesAtMs <= atMs) return;
    clearTimeout(this.timer);
    this.wakesAtMs = atMs;
    // A timer may fire a fraction of a millisecond early by the clock that is compared with.
    this.timer = setTimeout(() => this.expireDue(performance.now() + 1), atMs - performance.now()).unref();
  }

  private expireDue(nowMs: number): void {
    this.wakesAtMs = Number.POSITIVE_INFINITY;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiting of this.waiting) {
      if (waiting.endsAtMs > nowMs) {
        nextMs = Math.min(nextMs, waiting.endsAtMs);
        continue;
      }
      this.waiting.delete(waiting);
      waiting.expire();
    }
    if (Number.isFinite(nextMs)) this.wakeBy(nextMs);
  }
}
