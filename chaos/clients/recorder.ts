import { openSync, writeSync } from 'node:fs';

/** Milliseconds of the clock that all processes of this machine share. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

/** Appends one JSON line for each thing that happens. Written at once, so that a `kill -9` loses nothing of it. */
export class Recorder {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(what: string, more: Record<string, unknown> = {}): void {
    writeSync(this.#file, `${JSON.stringify({ t: nowMs(), what, ...more })}\n`);
  }
}
