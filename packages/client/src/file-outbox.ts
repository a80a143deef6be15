import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OutboxEntry, OutboxStore } from './outbox-store.js';

type Line = { put: OutboxEntry } | { remove: string };

/** Rewritten when so many lines are of no use any more. */
const SPARE_LINES = 500;

/**
 * An outbox in a file, for Node: one JSON line for each change, synced to the disk before the call resolves, so that
 * it survives `kill -9` and power loss. One process at a time; a line cut off by a crash was never confirmed and is
 * dropped.
 *
 * @example
 * const chat = createClient({ url, token, outbox: fileOutbox('/var/lib/dispatch/outbox.jsonl') });
 */
export const fileOutbox = (path: string): OutboxStore => {
  /** What the file says; undefined before it was read, and after a write that may have ended half way. */
  let entries: Map<string, OutboxEntry> | undefined;
  let lines = 0;
  let waiting: { line: Line; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let work: Promise<void> = Promise.resolve();

  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = work.then(task);
    work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  };

  /** Replaces the file by one that holds only what counts, at once: there is always one whole file. */
  const rewrite = async (kept: Map<string, OutboxEntry>): Promise<void> => {
    const next = `${path}.next`;
    await writeSynced(
      next,
      'w',
      [...kept.values()].map((put): Line => ({ put })),
    );
    await rename(next, path);
    await syncFolder(dirname(path));
    lines = kept.size;
  };

  const read = async (): Promise<Map<string, OutboxEntry>> => {
    if (entries) return entries;
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const found = new Map<string, OutboxEntry>();
    // What follows the last line end is half a line: its writer was killed before it was told that it is kept.
    for (const line of text.split('\n').slice(0, -1)) apply(found, JSON.parse(line) as Line);
    await rewrite(found);
    entries = found;
    return found;
  };

  /** Everything that came while the disk was busy goes in one write and one sync. */
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const kept = await read();
      await writeSynced(
        path,
        'a',
        batch.map(({ line }) => line),
      );
      for (const { line } of batch) apply(kept, line);
      lines += batch.length;
      if (lines > kept.size * 2 + SPARE_LINES) await rewrite(kept);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      entries = undefined;
      for (const { reject } of batch) reject(error);
    }
  };

  const write = (line: Line): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ line, resolve, reject });
      void inTurn(flush);
    });

  return {
    load: (owner) =>
      inTurn(async () => [...(await read()).values()].filter((entry) => entry.owner === owner)),
    put: (entry) => write({ put: entry }),
    remove: (clientId) => write({ remove: clientId }),
    close: () =>
      inTurn(async () => {
        if (entries?.size === 0) await rm(path, { force: true });
        entries = undefined;
      }),
  };
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
