import { appendFile, type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve as absolute } from 'node:path';
import { CurblineError } from './curbline-error.js';
import { lockFile } from './file-lock.js';
import type { OutboxEntry, OutboxStore } from './outbox-store.js';

type Line = { put: OutboxEntry } | { remove: string };

/** Rewritten when so many lines are of no use any more. */
const SPARE_LINES = 500;

/** One for each file, however many clients of this process use it: what one does not know, it would write away. */
const files = new Map<string, OutboxFile>();

/**
 * An outbox in a file, for Node: one JSON line for each change, synced to the disk before the call resolves, so that
 * it survives `kill -9` and power loss. Any number of clients in one process; a second process is refused (`storage`)
 * while the first one lives, by a lock file beside it. A line cut off by a crash was never confirmed and is dropped; a
 * line that something else has damaged is put aside, into `<path>.damaged`.
 *
 * @example
 * const chat = createClient({ url, token, outbox: fileOutbox('/var/lib/dispatch/outbox.jsonl') });
 */
export const fileOutbox = (path: string): OutboxStore => {
  const name = absolute(path);
  let file: OutboxFile | undefined;
  const opened = (): OutboxFile => {
    if (file) return file;
    file = files.get(name) ?? new OutboxFile(name);
    files.set(name, file);
    file.users += 1;
    return file;
  };
  return {
    load: (owner) => opened().load(owner),
    put: (entry) => opened().write({ put: entry }),
    remove: (clientId) => opened().write({ remove: clientId }),
    close: async () => {
      const left = file;
      file = undefined;
      await left?.leave();
    },
  };
};

class OutboxFile {
  /** How many outboxes have it open. */
  users = 0;
  readonly #path: string;
  /** What the file says; undefined before it was read, and after a write that may have ended half way. */
  #entries: Map<string, OutboxEntry> | undefined;
  #lines = 0;
  #waiting: { line: Line; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #work: Promise<void> = Promise.resolve();
  #unlock: (() => void) | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  load(owner: string): Promise<OutboxEntry[]> {
    return this.#inTurn(async () =>
      [...(await this.#read()).values()].filter((entry) => entry.owner === owner),
    );
  }

  write(line: Line): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      void this.#inTurn(() => this.#flush());
    });
  }

  /** The last one who leaves lets go of the file. */
  leave(): Promise<void> {
    this.users -= 1;
    return this.#inTurn(async () => {
      if (this.users > 0) return;
      const [entries, unlock] = [this.#entries, this.#unlock];
      this.#entries = undefined;
      this.#unlock = undefined;
      if (entries?.size === 0) await rm(this.#path, { force: true });
      unlock?.();
      if (this.users === 0) files.delete(this.#path);
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#work.then(task);
    this.#work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #read(): Promise<Map<string, OutboxEntry>> {
    if (this.#entries) return this.#entries;
    this.#unlock ??= await lockFile(this.#path);
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    if (!isOurs(text))
      throw new CurblineError('storage', `${this.#path} is not an outbox: its lines are not JSON of ours.`);
    const found = new Map<string, OutboxEntry>();
    const damaged: string[] = [];
    // What follows the last line end is half a line: its writer was killed before it was told that it is kept.
    for (const line of text.split('\n').slice(0, -1)) {
      const change = changeOf(line);
      if (change) apply(found, change);
      else damaged.push(`${line}\n`);
    }
    if (damaged.length > 0) await appendFile(`${this.#path}.damaged`, damaged.join(''), { mode: 0o600 });
    await this.#rewrite(found);
    this.#entries = found;
    return found;
  }

  /** Replaces the file by one that holds only what counts, at once: there is always one whole file. */
  async #rewrite(kept: Map<string, OutboxEntry>): Promise<void> {
    const next = `${this.#path}.next`;
    const lines = [...kept.values()].map((put): Line => ({ put }));
    await writeSynced(next, 'w', lines);
    await rename(next, this.#path);
    await syncFolder(dirname(this.#path));
    this.#lines = kept.size;
  }

  /** Everything that came while the disk was busy goes in one write and one sync. */
  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    const lines = batch.map(({ line }) => line);
    try {
      const kept = await this.#read();
      await writeSynced(this.#path, 'a', lines);
      for (const line of lines) apply(kept, line);
      this.#lines += lines.length;
      if (this.#lines > kept.size * 2 + SPARE_LINES) await this.#rewrite(kept);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      this.#entries = undefined;
      for (const { reject } of batch) reject(error);
    }
  }
}

/** Whether a line begins like one of ours, or the file ends within that beginning. Another file is left alone. */
const isOurs = (text: string): boolean =>
  /^\{"(put|remove)":/m.test(text) || ['{"put":', '{"remove":'].some((start) => start.startsWith(text));

const changeOf = (text: string): Line | undefined => {
  try {
    const line = JSON.parse(text) as { put?: Partial<OutboxEntry>; remove?: string } | null;
    // A line is written whole or not at all: with its key, the rest is there.
    const whole = typeof line?.put?.client_id === 'string' || typeof line?.remove === 'string';
    return whole ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
};

const apply = (entries: Map<string, OutboxEntry>, line: Line): void => {
  if ('put' in line) entries.set(line.put.client_id, line.put);
  else entries.delete(line.remove);
};

const writeSynced = async (path: string, flags: 'a' | 'w', lines: readonly Line[]): Promise<void> => {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await file.sync();
  } finally {
    await file.close();
  }
};

/** A new name is on the disk only when its folder is. Windows cannot and need not. */
const syncFolder = async (path: string): Promise<void> => {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  } finally {
    await folder?.close();
  }
};
