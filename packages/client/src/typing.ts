import type { EventPayload } from '@curbline/contract';
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
      this.#timer ??= setTimeout(() => this.#repeat(), this.#toldAt + LIMITS.typingEveryMs - Date.now());
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

  hear({
    user_id,
    scope,
    typing,
  }: Pick<EventPayload<'typing.updated'>, 'user_id' | 'scope' | 'typing'>): void {
    clearTimeout(this.#timers.get(user_id));
    const others = this.all.filter((typist) => typist.user_id !== user_id);
    const was = others.length < this.all.length;
    if (typing) {
      const end = (): void => this.hear({ user_id, scope, typing: false });
      this.#timers.set(user_id, setTimeout(end, LIMITS.typingExpiresMs + 1_000));
    }
    if (typing === was) return;
    this.all = typing ? [...others, { user_id, scope }] : others;
    this.#changed();
  }

  clear(): void {
    for (const typist of this.all) this.hear({ ...typist, typing: false });
  }
}
