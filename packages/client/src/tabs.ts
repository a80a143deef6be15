import type { OutboxEntry } from './outbox-store.js';
import type { Sent } from './types.js';

/** What tabs that share an outbox tell each other. */
export type TabNews =
  | { told: 'added'; entry: OutboxEntry }
  | { told: 'stored'; sent: Sent }
  | { told: 'failed'; client_id: string; error: NonNullable<OutboxEntry['error']> }
  | { told: 'retried' | 'discarded'; client_id: string };

/** Tabs with one outbox: one of those that are online sends, chosen by a Web Lock; news go over a BroadcastChannel. */
export class Tabs {
  readonly #name: string;
  readonly #channel: BroadcastChannel | undefined;
  /**
   * Absent on plain-http pages, and gone once they were refused (frames of another origin): each tab then sends what it
   * added or loaded itself, and the server sees the repeats.
   */
  locks: LockManager | undefined = globalThis.navigator?.locks;
  #letGo: (() => void) | undefined;

  constructor(name: string, heard: (news: TabNews) => void) {
    this.#name = name;
    try {
      this.#channel = new BroadcastChannel(name);
    } catch {
      // There is none here, or it is refused like the locks: the other tabs hear from the server.
      return;
    }
    this.#channel.addEventListener('message', ({ data }) => heard(data as TabNews));
    // In Node an open channel would keep the process alive.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  tell(news: TabNews): void {
    this.#channel?.postMessage(news);
  }

  /** Waits for its turn; `granted` is called when this tab is the one that sends. */
  lead(granted: () => void): void {
    if (!this.locks) return granted();
    const waiting = new AbortController();
    const { signal } = waiting;
    this.handOver();
    const over = new Promise<void>((resolve) => {
      this.#letGo = () => {
        waiting.abort();
        resolve();
      };
    });
    this.locks
      .request(this.#name, { signal }, async () => {
        granted();
        await over;
      })
      .catch(() => {
        if (signal.aborted) return;
        this.locks = undefined;
        granted();
      });
  }

  /** Hands over to a tab that can send. */
  handOver(): void {
    this.#letGo?.();
  }

  close(): void {
    this.handOver();
    this.#channel?.close();
  }
}
