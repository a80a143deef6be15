import {
  closeSync,
  copyFileSync,
  fchownSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { errorCode } from './embedded-postgres-error.js';
import type { RunAs } from './run-as.js';

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * PostgreSQL's own log: a file and the one before it, 4 MiB each. PostgreSQL's logging collector can rotate but
 * not bound its files, and costs a process more; the server writes in append mode, so the file may be cut below it.
 */
export class ServerLog {
  readonly path: string;
  readonly #owner: RunAs;

  constructor(path: string, owner: RunAs) {
    this.path = path;
    this.#owner = owner;
  }

  /** A handle for the server's standard error; the caller closes its own copy after the start. */
  open(): { handle: number; offset: number } {
    if (this.#size() > MAX_BYTES) renameSync(this.path, this.#previous);
    const handle = openSync(this.path, 'a', 0o600);
    if (this.#owner.switched) fchownSync(handle, this.#owner.uid, this.#owner.gid);
    return { handle, offset: this.#size() };
  }

  /** Cuts the file of a running server when it grew too large. */
  bound(): void {
    if (this.#size() <= MAX_BYTES) return;
    copyFileSync(this.path, this.#previous);
    truncateSync(this.path);
  }

  /** Why a server that was started at `offset` gave up: its last fatal line, or all it said. */
  reasonSince(offset: number): string {
    const said = this.#readFrom(offset).trim();
    const fatal = said.split('\n').filter((line) => /\b(FATAL|PANIC): /.test(line));
    return (fatal.at(-1) ?? said).replace(/^.*?\b(FATAL|PANIC): +/, '').slice(0, 500);
  }

  get #previous(): string {
    return `${this.path}.1`;
  }

  #readFrom(offset: number): string {
    const buffer = Buffer.alloc(Math.min(Math.max(this.#size() - offset, 0), 64 * 1024));
    const handle = openSync(this.path, 'r');
    try {
      return buffer.toString(
        'utf8',
        0,
        readSync(handle, buffer, 0, buffer.length, Math.max(this.#size() - buffer.length, 0)),
      );
    } finally {
      closeSync(handle);
    }
  }

  #size(): number {
    try {
      return statSync(this.path).size;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 0;
      throw error;
    }
  }
}
