import type { ErrorObject } from '@curbline/contract';
import type { OutboxEntry } from './outbox-store.js';
import type { Sent } from './types.js';

/** What tabs that share an outbox tell each other. */
export type TabNews =
  | { told: 'added'; entry: OutboxEntry }
  | { told: 'stored'; sent: Sent }
  | { told: 'failed'; client_id: string; error: NonNullable<OutboxEntry['error']> | ErrorObject }
  | { told: 'retried' | 'discarded'; client_id: string };

/** Tabs with one outbox: one of those that are online sends, chosen by a Web Lock; news go over a BroadcastChannel. */
export class Tabs {
  readonly #name: string;
  readonly #channel: BroadcastChannel | undefined;
  readonly #locks: LockManager | undefined;
  #letGo: (() => void) | undefined;

  constructor(name: string, heard: (news: TabNews) => void) {
    this.#name = name;
    this.#locks = globalThis.navigator?.locks;
    if (typeof BroadcastChannel === 'undefined') return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => heard(data as TabNews);
    // In Node an open channel would keep the process alive.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  /** Whether a lock decides. Without one (plain-http pages), each tab sends what it added or loaded itself. */
  get decided(): boolean {
    return this.#locks !== undefined;
  }

  tell(news: TabNews): void {
    this.#channel?.postMessage(news);
  }

  /** Waits for its turn; `granted` is called when this tab is the one that sends. */
  lead(granted: () => void): void {
    if (!this.#locks) return granted();
    if (this.#letGo) return;
    const waiting = new AbortController();
    this.#letGo = () => waiting.abort();
    this.#locks
      .request(this.#name, { signal: waiting.signal }, () => {
        if (waiting.signal.aborted) return;
        granted();
        return new Promise<void>((resolve) => {
          this.#letGo = resolve;
        });
      })
      .catch((error: unknown) => {
        if (!waiting.signal.aborted) throw error;
      });
  }

  /** Hands over to a tab that can send. */
  handOver(): void {
    this.#letGo?.();
    this.#letGo = undefined;
  }

  close(): void {
    this.handOver();
    this.#channel?.close();
  }
}
