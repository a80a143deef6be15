import { LIMITS } from '@curbline/contract/wire';
import { now } from './pause.js';
import { isSame } from './people.js';
import type { Typist } from './types.js';

const REPEAT_MS = LIMITS.typingExpiresMs - LIMITS.typingEveryMs;

/** Tells that this person is typing: at most once in 2 s, again before the server lets it expire, and the end of it. */
export class OwnTyping {
  readonly #tell: (typing: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldAt = -Infinity;
  #until = 0;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  set(typing: boolean): void {
    if (typing) {
      this.#until = now() + LIMITS.typingExpiresMs;
      this.#timer ??= setTimeout(
        () => this.#repeat(),
        Math.max(0, this.#toldAt + LIMITS.typingEveryMs - now()),
      );
    } else if (this.#timer) {
      this.forget();
      this.#tell(false);
    }
  }

  /** Nobody can be told. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #repeat(): void {
    const leftMs = this.#until - now();
    if (leftMs <= 0) return this.set(false);
    this.#toldAt = now();
    this.#tell(true);
    this.#timer = setTimeout(() => this.#repeat(), Math.min(REPEAT_MS, leftMs));
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

  heard(typing: Typist & { typing: boolean }): void {
    if (typing.typing) this.started(typing);
    else this.ended(typing);
  }

  started({ user_id, scope }: Typist): void {
    const typist = { user_id, scope };
    const key = `${scope} ${user_id}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => this.ended(typist), LIMITS.typingExpiresMs + 1_000),
    );
    if (this.all.some((each) => isSame(each, typist))) return;
    this.all = [...this.all, typist];
    this.#changed();
  }

  /** Who types is not known any more. */
  forget(): void {
    for (const typist of this.all) this.ended(typist);
  }

  ended(person: { user_id: string; scope: string }): void {
    clearTimeout(this.#timers.get(`${person.scope} ${person.user_id}`));
    const others = this.all.filter((each) => !isSame(each, person));
    if (others.length === this.all.length) return;
    this.all = others;
    this.#changed();
  }
}
