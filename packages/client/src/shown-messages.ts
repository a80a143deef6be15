import type { MessageObject } from '@curbline/contract';
import { CurblineError } from './curbline-error.js';
import type { Identity } from './identity.js';
import type { Seqs } from './marks.js';
import type { OutboxEntry } from './outbox-store.js';
import type { ChatMessage, MessageState } from './types.js';

const reached = ({ delivered_seq, read_seq }: Seqs, seq: number): MessageState =>
  seq <= read_seq ? 'read' : seq <= delivered_seq ? 'delivered' : 'stored';

/** Messages as a screen shows them. The same object comes back until something about the message changes. */
export class ShownMessages {
  readonly #shown = new WeakMap<object, ChatMessage>();

  /** One of the log; `receipts` are those of whoever received it. */
  stored(message: MessageObject, mine: boolean, receipts: Seqs): ChatMessage {
    const state = reached(receipts, message.seq);
    const shown = this.#shown.get(message);
    if (shown?.state === state && shown.mine === mine) return shown;
    return this.#keep(message, { ...message, mine, state });
  }

  /** One that the server has not confirmed. */
  unsent(entry: OutboxEntry, user: Identity | undefined): ChatMessage {
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
