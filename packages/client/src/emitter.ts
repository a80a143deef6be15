/** Takes a listener off again. */
export type Unsubscribe = () => void;

/** Named events with one payload each. A listener that throws is reported and disturbs nobody else. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(payload: never) => void>>();

  /** Listens until the returned function is called. */
  on<N extends keyof Events>(name: N, listener: (payload: Events[N]) => void): Unsubscribe {
    // A wrapper of its own, so that one function may listen twice and each is taken off alone.
    const entry = (payload: Events[N]): void => listener(payload);
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(entry as (payload: never) => void));
    return () => void set.delete(entry as (payload: never) => void);
  }

  emit<N extends keyof Events>(name: N, payload: Events[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
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
