import { LIMITS } from '@curbline/contract/wire';
import type { MessageObject, Result } from '@curbline/contract';
import { asCurblineError, isLinkLost, type CurblineError } from './curbline-error.js';
import { jittered, pause } from './pause.js';
import { Thread } from './thread.js';
import type { PageQuery } from './types.js';

const SMALLEST_PAGE = 5;
const HINT_MS = 1_000;

export interface CatchUpPorts {
  /** One try, on the next link when there is none now. */
  list(page: PageQuery): Promise<Result<'message.list'>>;
  /** Told once for each message, in order. */
  applied(messages: readonly MessageObject[]): void;
  /** The log cannot be read any more. */
  lost(error: CurblineError): void;
}

/** A thread that follows its booking's log: whatever is missing is read from the log before anything later is told. */
export class CatchUp {
  readonly thread = new Thread();
  /** Whether it follows: the seat is there, as far as is known. */
  following = false;
  readonly #ports: CatchUpPorts;
  #reading: Promise<void> | undefined;

  constructor(ports: CatchUpPorts) {
    this.#ports = ports;
  }

  /** The last applied seq; 0 before the first. */
  get position(): number {
    return this.thread.position ?? 0;
  }

  /** Begins at a position, with the messages that lead up to it. */
  start(position: number, before: readonly MessageObject[]): void {
    this.following = true;
    this.#tell(this.thread.start(position, before));
  }

  /** A message that came by itself. */
  hear(message: MessageObject): void {
    this.#tell(this.thread.hear(message));
    if (this.thread.behind) void this.read();
  }

  /** A page of the log after a position that was applied when it was asked for, and how far the log goes. */
  page(messages: readonly MessageObject[], lastSeq: number): void {
    this.#tell(this.thread.page(messages));
    if (this.thread.behind || lastSeq > this.position) void this.read();
  }

  /** Someone has a message that may be missing here: give the live event a moment, then look. */
  hint(seq: number): void {
    const behind = (): boolean => this.following && seq > this.position;
    if (behind()) setTimeout(() => behind() && void this.read(), HINT_MS);
  }

  /** Reads the log from the position on, until nothing is missing. */
  read(): Promise<void> {
    if (!this.following || this.thread.position === undefined) return Promise.resolve();
    return (this.#reading ??= this.#readOn().finally(() => (this.#reading = undefined)));
  }

  async #readOn(): Promise<void> {
    let limit: number = LIMITS.pageMax;
    for (let idle = 0; this.following;) {
      try {
        const page = await this.#ports.list({ after_seq: this.position, limit });
        const progress = this.#tell(this.thread.page(page.messages));
        if (!page.has_more && !this.thread.behind) return;
        limit = Math.min(limit * 2, LIMITS.pageMax);
        // A page may be older than the event that led here: look again, soon and then less often.
        idle = progress ? 0 : idle + 1;
        if (idle) await pause(jittered(Math.min(5_000, 25 * 2 ** idle)));
      } catch (cause) {
        const error = asCurblineError(cause, 'internal');
        if (error.code === 'closed') return;
        // On a line that breaks again and again a small page gets through where a large one never would.
        if (isLinkLost(error)) limit = Math.max(Math.floor(limit / 2), SMALLEST_PAGE);
        else if (!error.retryable) return this.#ports.lost(error);
        else await pause(jittered(error.retryAfterMs ?? 1_000));
      }
    }
  }

  #tell(applied: readonly MessageObject[]): boolean {
    if (applied.length > 0) this.#ports.applied(applied);
    return applied.length > 0;
  }
}

/** A log from its end, or from before a seq, page by page as it is read. */
export async function* backwards(
  list: (page: PageQuery) => Promise<Result<'message.list'>>,
  from: Omit<PageQuery, 'after_seq'>,
): AsyncGenerator<MessageObject> {
  for (let query = from; ;) {
    const { messages, has_more } = await list(query);
    yield* [...messages].reverse();
    const [first] = messages;
    if (!has_more || !first) return;
    query = { ...from, before_seq: first.seq };
  }
}
