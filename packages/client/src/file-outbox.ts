import { constants, type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
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
  const entries = new Map<string, OutboxEntry>();
  let lines = 0;
  let file: FileHandle | undefined;
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

  const take = (line: Line): void => {
    lines += 1;
    if ('put' in line) entries.set(line.put.client_id, line.put);
    else entries.delete(line.remove);
  };

  const opened = async (): Promise<FileHandle> => {
    if (file) return file;
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    entries.clear();
    lines = 0;
    // What follows the last line end is half a line: its writer was killed before it was told that it is kept.
    for (const line of text.split('\n').slice(0, -1)) take(JSON.parse(line) as Line);
    return rewrite();
  };

  /** Replaces the file by one that holds only what counts, at once: there is always one whole file. */
  const rewrite = async (): Promise<FileHandle> => {
    const next = `${path}.next`;
    const copy = await open(next, 'w', 0o600);
    await copy.writeFile([...entries.values()].map((put) => `${JSON.stringify({ put })}\n`).join(''));
    await copy.sync();
    await copy.close();
    await rename(next, path);
    await syncFolder(dirname(path));
    lines = entries.size;
    await file?.close();
    file = await open(path, constants.O_WRONLY | constants.O_APPEND);
    return file;
  };

  /** Everything that came while the disk was busy goes in one write and one sync. */
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const handle = await opened();
      await handle.appendFile(batch.map(({ line }) => `${JSON.stringify(line)}\n`).join(''));
      await handle.datasync();
      for (const { line } of batch) take(line);
      if (lines > entries.size * 2 + SPARE_LINES) await rewrite();
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // The file may end in half a line now: read it again before the next write.
      await file?.close().catch(() => undefined);
      file = undefined;
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
      inTurn(async () => {
        await opened();
        return [...entries.values()].filter((entry) => entry.owner === owner);
      }),
    put: (entry) => write({ put: entry }),
    remove: (clientId) => write({ remove: clientId }),
    close: () =>
      inTurn(async () => {
        await file?.close();
        file = undefined;
        if (entries.size === 0) await rm(path, { force: true });
      }),
  };
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
