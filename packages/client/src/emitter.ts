/** Takes a listener off again. */
export type Unsubscribe = () => void;

type Listener = (payload: never) => void;

/** Named events with one payload each. A listener that throws is reported and disturbs nobody else. */
export class Emitter<Events extends object> {
  readonly #listeners: { [N in keyof Events]?: readonly Listener[] } = {};

  /** Listens until the returned function is called. */
  on<N extends keyof Events>(name: N, listener: (payload: Events[N]) => void): Unsubscribe {
    // A wrapper of its own, so that one function may listen twice and each is taken off alone.
    const entry: Listener = (payload) => listener(payload);
    this.#listeners[name] = [...(this.#listeners[name] ?? []), entry];
    return () => {
      this.#listeners[name] = (this.#listeners[name] ?? []).filter((other) => other !== entry);
    };
  }

  emit<N extends keyof Events>(name: N, payload: Events[N]): void {
    for (const listener of this.#listeners[name] ?? []) {
      try {
        listener(payload as never);
      } catch (error) {
        // The app's own fault goes to its own global handler, not into our protocol.
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
