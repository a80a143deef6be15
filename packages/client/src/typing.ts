import { LIMITS } from '@curbline/contract/wire';
import type { Typist } from './types.js';

const REPEAT_MS = LIMITS.typingExpiresMs - LIMITS.typingEveryMs;
const FORGOTTEN_MS = 30_000;

/** Tells that this person is typing: at most once in 2 s, again before the server lets it expire, and the end of it. */
export class OwnTyping {
  readonly #tell: (typing: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldAt = 0;
  #until = 0;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  set(typing: boolean): void {
    if (typing) {
      this.#until = Date.now() + FORGOTTEN_MS;
      this.#timer ??= setTimeout(
        () => this.#repeat(),
        Math.max(0, this.#toldAt + LIMITS.typingEveryMs - Date.now()),
      );
    } else if (this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#tell(false);
    }
  }

  #repeat(): void {
    if (Date.now() > this.#until) return this.set(false);
    this.#toldAt = Date.now();
    this.#tell(true);
    this.#timer = setTimeout(() => this.#repeat(), REPEAT_MS);
  }
}

/** Who is typing on the other side. Ends by itself when the end of it gets lost. */
export class Typists {
  /** A new array for each change. */
  all: readonly Typist[] = [];
  readonly #changed: () => void;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  started({ user_id, scope }: Typist): void {
    clearTimeout(this.#timers.get(user_id));
    this.#timers.set(
      user_id,
      setTimeout(() => this.ended(user_id), LIMITS.typingExpiresMs + 1_000),
    );
    if (this.all.some((typist) => typist.user_id === user_id)) return;
    this.all = [...this.all, { user_id, scope }];
    this.#changed();
  }

  ended(userId: string): void {
    clearTimeout(this.#timers.get(userId));
    const others = this.all.filter((typist) => typist.user_id !== userId);
    if (others.length === this.all.length) return;
    this.all = others;
    this.#changed();
  }
}
