import { LIMITS } from '@curbline/contract/wire';
import { now, pause } from './pause.js';
import type { Position } from './types.js';

/** Positions go out at most once a second; the last one wins. */
export class PositionSharing {
  readonly #tell: (position: Position) => Promise<unknown>;
  #position: Position | undefined;
  #sharing: Promise<void> | undefined;
  #toldAt = -Infinity;

  constructor(tell: (position: Position) => Promise<unknown>) {
    this.#tell = tell;
  }

  share(position: Position): Promise<void> {
    this.#position = position;
    if (!this.#sharing) {
      this.#sharing = this.#next();
      // Whoever does not wait for it does not care either.
      this.#sharing.catch(() => undefined);
    }
    return this.#sharing;
  }

  async #next(): Promise<void> {
    await pause(Math.max(0, this.#toldAt + LIMITS.locationEveryMs - now()));
    this.#sharing = undefined;
    this.#toldAt = now();
    if (this.#position) await this.#tell(this.#position);
  }
}
