import { DemoDisabledError, fetchSession, type DemoSession } from './session.js';

export type SessionState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'down' }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'ready'; readonly session: DemoSession };

const RETRY_MS = 2_000;

/** Asks for the demo booking again and again while the server cannot be reached. */
export class SessionSearch {
  readonly #tell: (state: SessionState) => void;
  #run = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (state: SessionState) => void) {
    this.#tell = tell;
  }

  /** Asks now, instead of what was under way. */
  start(): void {
    this.stop();
    void this.#ask(this.#run);
  }

  stop(): void {
    this.#run += 1;
    clearTimeout(this.#timer);
  }

  async #ask(run: number): Promise<void> {
    const state = await fetchSession().then(
      (session): SessionState => ({ kind: 'ready', session }),
      (error: unknown): SessionState => ({ kind: error instanceof DemoDisabledError ? 'disabled' : 'down' }),
    );
    // Stopped or started anew meanwhile: this answer belongs to nobody.
    if (run !== this.#run) return;
    this.#tell(state);
    if (state.kind === 'down') this.#timer = setTimeout(() => void this.#ask(run), RETRY_MS);
  }
}
