import { ChatError } from '../chat-error.js';

interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_AT_ONCE = 500;
/** As long as nobody else has asked, those who wait are waited for by nobody. */
const LULL_MS = 1;
/** Questions beyond this are refused at once: memory stays bounded when the database is slow. */
const MAX_WAITING = 20_000;

/**
 * Many small questions as few queries: what is asked while one query runs, and in the moment after it, goes into the
 * next. A question that comes alone is asked at once; five thousand phones that come back together cost a few dozen queries.
 */
export class Gathered<Q, A> {
  private waiting: Waiting<Q, A>[] = [];
  private running = false;

  /**
   * `ask` answers each question of a list, in its order. While more questions come, there are at least `restMs` between two queries; once
   * none has come for a moment, nothing is waited for.
   */
  constructor(
    private readonly ask: (questions: readonly Q[]) => Promise<readonly A[]>,
    private readonly restMs: number,
  ) {}

  /** Rejects with `unavailable` when the store is away, else with its error. */
  one(question: Q): Promise<A> {
    if (this.waiting.length >= MAX_WAITING)
      return Promise.reject(new ChatError('unavailable', { retryAfterMs: 1_000 }));
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      if (this.running) return;
      this.running = true;
      void this.run();
    });
  }

  private async run(): Promise<void> {
    // What one turn of the event loop brought in travels together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_AT_ONCE);
      try {
        const answers = await this.ask(batch.map(({ question }) => question));
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as A);
      } catch (error) {
        // Nobody's patience is spent in a queue behind a store that is away.
        const away = error instanceof ChatError && error.code === 'unavailable';
        for (const { reject } of [...batch, ...(away ? this.waiting.splice(0) : [])]) reject(error);
      }
      await this.rest();
    }
    this.running = false;
  }

  private async rest(): Promise<void> {
    const until = performance.now() + this.restMs;
    let before: number;
    do {
      before = this.waiting.length;
      await new Promise((resolve) => setTimeout(resolve, LULL_MS));
    } while (this.waiting.length > before && performance.now() < until);
  }
}
