import type { OutboxEntry, OutboxStore } from './outbox-store.js';

const STORE = 'entries';

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')));
  });

/** An outbox in the browser's IndexedDB, shared by all tabs of the origin. */
export const indexedDbOutbox = (name = 'curbline-outbox'): OutboxStore => {
  let opened: Promise<IDBDatabase> | undefined;

  const open = async (): Promise<IDBDatabase> => {
    const request = indexedDB.open(name, 1);
    request.addEventListener('upgradeneeded', () => {
      // The key is a counter: entries of all tabs come back in the order in which they were put.
      const store = request.result.createObjectStore(STORE, { autoIncrement: true });
      store.createIndex('client_id', 'client_id', { unique: true });
      store.createIndex('owner', 'owner');
    });
    const database = await result(request);
    const forget = (): void => void (opened = undefined);
    database.addEventListener('close', forget);
    database.addEventListener('versionchange', () => {
      database.close();
      forget();
    });
    return database;
  };

  const store = async (mode: IDBTransactionMode): Promise<IDBObjectStore> => {
    opened ??= open();
    try {
      // `strict`: on the disk, not only handed to the system, when it completes.
      return (await opened).transaction(STORE, mode, { durability: 'strict' }).objectStore(STORE);
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };

  /** Runs a change at the entry's key and waits until it is on the disk. */
  const change = async (
    clientId: string,
    work: (entries: IDBObjectStore, key: IDBValidKey | undefined) => void,
  ): Promise<void> => {
    const entries = await store('readwrite');
    const found = entries.index('client_id').getKey(clientId);
    found.addEventListener('success', () => work(entries, found.result));
    await new Promise<void>((resolve, reject) => {
      const { transaction } = entries;
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () =>
        reject(transaction.error ?? new Error('IndexedDB gave up')),
      );
    });
  };

  return {
    sharedAs: name,
    load: async (owner) =>
      result((await store('readonly')).index('owner').getAll(owner)) as Promise<OutboxEntry[]>,
    put: (entry) => change(entry.client_id, (entries, key) => void entries.put(entry, key)),
    remove: (clientId) => change(clientId, (entries, key) => key !== undefined && void entries.delete(key)),
    close: async () => {
      const database = await opened;
      opened = undefined;
      database?.close();
    },
  };
};
