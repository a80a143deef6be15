import type { OutboxEntry, OutboxStore } from './outbox-store.js';

const STORE = 'entries';

/** An outbox in the browser's IndexedDB, shared by all tabs of the origin. Falls back to failing calls, never to loss. */
export const indexedDbOutbox = (name = 'curbline-outbox'): OutboxStore => {
  let opening: Promise<IDBDatabase> | undefined;

  const open = (): Promise<IDBDatabase> => {
    opening ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => {
        // The key is a counter: entries of all tabs come back in the order in which they were put.
        const store = request.result.createObjectStore(STORE, { autoIncrement: true });
        store.createIndex('client_id', 'client_id', { unique: true });
        store.createIndex('owner', 'owner');
      };
      request.onsuccess = () => {
        const forget = (): void => void (opening = undefined);
        request.result.onclose = forget;
        request.result.onversionchange = () => {
          request.result.close();
          forget();
        };
        resolve(request.result);
      };
      request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
    });
    opening.catch(() => (opening = undefined));
    return opening;
  };

  const change = async (work: (store: IDBObjectStore) => void): Promise<void> => {
    const database = await open();
    await new Promise<void>((resolve, reject) => {
      // `strict`: on the disk, not only handed to the system, when it completes.
      const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up'));
      work(transaction.objectStore(STORE));
    });
  };

  const keyOf = (
    store: IDBObjectStore,
    clientId: string,
    use: (key: IDBValidKey | undefined) => void,
  ): void => {
    const request = store.index('client_id').getKey(clientId);
    request.onsuccess = () => use(request.result);
  };

  return {
    sharedAs: name,
    load: async (owner) => {
      const database = await open();
      return new Promise((resolve, reject) => {
        const request = database.transaction(STORE).objectStore(STORE).index('owner').getAll(owner);
        request.onsuccess = () => resolve(request.result as OutboxEntry[]);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be read'));
      });
    },
    put: (entry) => change((store) => keyOf(store, entry.client_id, (key) => void store.put(entry, key))),
    remove: (clientId) =>
      change((store) => keyOf(store, clientId, (key) => key !== undefined && void store.delete(key))),
    close: async () => {
      const database = await opening;
      opening = undefined;
      database?.close();
    },
  };
};
