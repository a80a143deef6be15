import type { PayloadInput, Result } from '@curbline/contract';
import { asCurblineError } from './curbline-error.js';

/** How far someone is. */
export interface Seqs {
  delivered_seq: number;
  read_seq: number;
}

const GATHER_MS = 80;

/** Own receipts: gathered for a moment, told when there is a link, never twice. */
export class Marks {
  readonly #tell: (
    marks: Omit<PayloadInput<'receipt.mark'>, 'booking_id'>,
  ) => Promise<Result<'receipt.mark'>>;
  readonly #changed: () => void;
  #own: Seqs = { delivered_seq: 0, read_seq: 0 };
  #wanted: Seqs = { delivered_seq: 0, read_seq: 0 };
  #telling: Promise<void> | undefined;

  constructor(
    tell: (marks: Omit<PayloadInput<'receipt.mark'>, 'booking_id'>) => Promise<Result<'receipt.mark'>>,
    changed: () => void,
  ) {
    this.#tell = tell;
    this.#changed = changed;
  }

  /** What the server knows. */
  get own(): Readonly<Seqs> {
    return this.#own;
  }

  /** The server, or another device of this person, says so. */
  hear(known: Seqs): void {
    const own = furthest(this.#own, known);
    if (own.delivered_seq === this.#own.delivered_seq && own.read_seq === this.#own.read_seq) return;
    this.#own = own;
    this.#changed();
  }

  /** Resolves when the server knows. With nothing new, what could not be told yet is told. */
  async want(wanted: Partial<Seqs> = {}): Promise<void> {
    this.#wanted = furthest(this.#wanted, wanted);
    while (this.#due()) await (this.#telling ??= this.#gather().finally(() => (this.#telling = undefined)));
  }

  #due(): boolean {
    return this.#wanted.delivered_seq > this.#own.delivered_seq || this.#wanted.read_seq > this.#own.read_seq;
  }

  async #gather(): Promise<void> {
    await new Promise((resolve) => void setTimeout(resolve, GATHER_MS));
    const { delivered_seq, read_seq } = this.#wanted;
    let later = false;
    try {
      const answer = await this.#tell({
        ...(delivered_seq > this.#own.delivered_seq && { delivered_seq }),
        ...(read_seq > this.#own.read_seq && { read_seq }),
      });
      this.hear(answer);
    } catch (cause) {
      later = asCurblineError(cause, 'internal').retryable;
      throw cause;
    } finally {
      // Told or refused, it is done: the server clips what lies past its log, and asking again would change nothing.
      // While the server is away it stays wanted, for the next mark or sync.
      const { delivered_seq: delivered, read_seq: read } = this.#wanted;
      if (!later && delivered === delivered_seq && read === read_seq) this.#wanted = this.#own;
    }
  }
}

/** Receipts only grow. */
export const furthest = (one: Seqs, other: Partial<Seqs>): Seqs => {
  const read_seq = Math.max(one.read_seq, other.read_seq ?? 0);
  return { delivered_seq: Math.max(one.delivered_seq, other.delivered_seq ?? 0, read_seq), read_seq };
};
