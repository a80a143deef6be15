import type { MessageObject } from '@curbline/contract';
import { CurblineError } from './curbline-error.js';
import type { Identity } from './identity.js';
import type { Seqs } from './marks.js';
import type { OutboxEntry } from './outbox-store.js';
import type { People } from './people.js';
import type { Thread } from './thread.js';
import type { ChatMessage, MessageState, Receipts } from './types.js';

const reached = ({ delivered_seq, read_seq }: Seqs, seq: number): MessageState =>
  seq <= read_seq ? 'read' : seq <= delivered_seq ? 'delivered' : 'stored';

/** Messages as a screen shows them. The same object comes back until something about the message changes. */
export class ShownMessages {
  readonly #shown = new WeakMap<object, ChatMessage>();
  /** `client_id`s of own messages that are in the thread. */
  readonly #settled = new Set<string>();

  /** An own message is in the thread: its entry in the outbox is not shown any more. */
  settled(clientId: string): void {
    this.#settled.add(clientId);
  }

  /** The thread, and behind it what was not confirmed yet. */
  list(
    { messages, early }: Thread,
    { own, counterpart }: Receipts,
    people: People,
    unconfirmed: readonly OutboxEntry[],
    user: Identity | undefined,
  ): ChatMessage[] {
    const ahead = early.filter(({ sender }) => people.isMe(sender));
    const stored = new Set([...this.#settled, ...ahead.map(({ client_id }) => client_id)]);
    return [
      ...[...messages, ...ahead].map((message) => {
        const mine = people.isMe(message.sender);
        return this.#stored(message, mine, mine ? counterpart : own);
      }),
      ...unconfirmed
        .filter(({ client_id }) => !stored.has(client_id))
        .map((entry) => this.#unsent(entry, user)),
    ];
  }

  /** One of the log; `receipts` are those of whoever received it. */
  #stored(message: MessageObject, mine: boolean, receipts: Seqs): ChatMessage {
    const state = reached(receipts, message.seq);
    const shown = this.#shown.get(message);
    if (shown?.state === state && shown.mine === mine) return shown;
    return this.#keep(message, { ...message, mine, state });
  }

  /** One that the server has not confirmed. */
  #unsent(entry: OutboxEntry, user: Identity | undefined): ChatMessage {
    const { booking_id, client_id, kind, body, created_at, error } = entry;
    const sender = user ?? { user_id: '', scope: 'customer' };
    const message = { booking_id, client_id, kind, body, created_at, sender, mine: true } as const;
    return (
      this.#shown.get(entry) ??
      this.#keep(
        entry,
        error
          ? { ...message, state: 'failed', error: CurblineError.from(error) }
          : { ...message, state: 'queued' },
      )
    );
  }

  #keep(source: object, shown: ChatMessage): ChatMessage {
    this.#shown.set(source, shown);
    return shown;
  }
}
