import { ChatError } from './chat-error.js';

interface Waiting {
  readonly endsAtMs: number;
  readonly expire: () => void;
}

/**
 * One patience for many promises: what has not settled by then is answered `unavailable`, and goes on unheard. All wait
 * equally long, so the oldest comes first and one timer serves them all; a promise costs an entry in a set.
 */
export class Deadlines {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly patienceMs: number,
    private readonly reason: string,
  ) {}

  /** Settles as the work does, or rejects with `unavailable` when patience ends first. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        endsAtMs: performance.now() + this.patienceMs,
        expire: () =>
          reject(new ChatError('unavailable', { cause: new Error(this.reason), retryAfterMs: 1_000 })),
      };
      this.waiting.add(waiting);
      this.timer ??= this.wake(this.patienceMs);
      work.then(resolve, reject).finally(() => this.waiting.delete(waiting));
    });
  }

  private wake(inMs: number): NodeJS.Timeout {
    // A timer may fire a fraction of a millisecond early by the clock that is compared with.
    return setTimeout(() => this.expireDue(performance.now() + 1), inMs).unref();
  }

  private expireDue(nowMs: number): void {
    this.timer = undefined;
    for (const waiting of this.waiting) {
      if (waiting.endsAtMs > nowMs) {
        this.timer = this.wake(waiting.endsAtMs - nowMs + 1);
        return;
      }
      this.waiting.delete(waiting);
      waiting.expire();
    }
  }
}
