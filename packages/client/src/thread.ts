import type { MessageObject } from '@curbline/contract';

/**
 * The part of a booking's log that this client holds: applied in order of `seq`, each once. What comes too early waits
 * until the log itself has filled the gap. No I/O.
 */
export class Thread {
  /** Applied messages, ascending. A new array for each change. */
  messages: readonly MessageObject[] = [];
  /** The last applied seq; undefined until the booking was joined. */
  position: number | undefined;
  readonly #early = new Map<number, MessageObject>();

  /** Whether something has arrived that cannot be applied yet. */
  get behind(): boolean {
    return this.position !== undefined && this.#early.size > 0;
  }

  /** Arrived, but not applied. */
  get early(): MessageObject[] {
    return [...this.#early.values()].sort((one, other) => one.seq - other.seq);
  }

  /** Starts at a position, with the messages that lead up to it. Returns what can be applied after it. */
  start(position: number, before: readonly MessageObject[]): MessageObject[] {
    this.position = position;
    this.messages = before;
    return this.#apply([]);
  }

  /** One message that came by itself. Returns what is now applied. */
  hear(message: MessageObject): MessageObject[] {
    if (this.position !== undefined && message.seq <= this.position) return [];
    this.#early.set(message.seq, message);
    return this.#apply([]);
  }

  /**
   * A page of the log: all that this reader may see after a seq that was applied when it was asked for. A jump inside
   * it is none: a driver who had lost the seat does not see what was said meanwhile.
   */
  page(messages: readonly MessageObject[]): MessageObject[] {
    return this.#apply(messages);
  }

  /** Earlier messages, ascending. */
  prepend(messages: readonly MessageObject[]): void {
    const first = this.messages[0]?.seq ?? (this.position ?? 0) + 1;
    this.messages = [...messages.filter(({ seq }) => seq < first), ...this.messages];
  }

  #apply(page: readonly MessageObject[]): MessageObject[] {
    let { position } = this;
    if (position === undefined) return [];
    const applied: MessageObject[] = [];
    for (const message of page) {
      if (message.seq <= position) continue;
      applied.push(message);
      position = message.seq;
    }
    for (let next; (next = this.#early.get(position + 1)); position = next.seq) applied.push(next);
    for (const seq of this.#early.keys()) if (seq <= position) this.#early.delete(seq);
    this.position = position;
    if (applied.length > 0) this.messages = [...this.messages, ...applied];
    return applied;
  }
}
