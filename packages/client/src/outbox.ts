import { asCurblineError, CurblineError, isLinkLost } from './curbline-error.js';
import type { OutboxEntry, OutboxStore } from './outbox-store.js';
import { jittered, pause } from './pause.js';
import { Tabs, type TabNews } from './tabs.js';
import type { Sent } from './types.js';

export interface OutboxPorts {
  /** One try to have it stored. */
  send(entry: OutboxEntry): Promise<Sent>;
  /** The server has it. */
  stored(sent: Sent): void;
  changed(bookingId: string): void;
  error(error: CurblineError): void;
}

type Failure = NonNullable<OutboxEntry['error']>;

interface Waiter {
  resolve(sent: Sent): void;
  reject(error: CurblineError): void;
}

interface Item {
  entry: OutboxEntry;
  /** In the store. Nothing is sent before that. */
  saved: boolean;
  /** Another tab added it. */
  remote: boolean;
  tries: number;
  waiters: Waiter[];
}

/**
 * What this person has said and the server has not confirmed. Kept in a store before it is sent, taken out after the
 * confirmation; one message in flight for each booking, so that a later one can never overtake an earlier one.
 */
export class Outbox {
  readonly #store: OutboxStore;
  readonly #ports: OutboxPorts;
  readonly #busy = new Set<string>();
  #items: Item[] = [];
  #owner: string | undefined;
  #opening: Promise<void>;
  #open!: () => void;
  #tabs: Tabs | undefined;
  #sending = false;
  /** Counts links, so that what waits for a lock or the store finds out that its link is gone. */
  #turn = 0;

  constructor(store: OutboxStore, ports: OutboxPorts) {
    this.#store = store;
    this.#ports = ports;
    this.#opening = new Promise((resolve) => void (this.#open = resolve));
  }

  /** Loads what an earlier life of this person's client left behind. */
  open(owner: string): void {
    this.#owner = owner;
    if (this.#store.sharedAs !== undefined) {
      this.#tabs ??= new Tabs(`${this.#store.sharedAs}:${owner}`, (news) => this.#hear(news));
    }
    void this.#load().then(this.#open);
  }

  /** Resolves when what an earlier life left behind is here. */
  opened(): Promise<void> {
    return this.#opening;
  }

  /** Entries of a booking, oldest first. */
  of(bookingId: string): OutboxEntry[] {
    return this.#items.map(({ entry }) => entry).filter((entry) => entry.booking_id === bookingId);
  }

  has(clientId: string): boolean {
    return this.#find(clientId) !== undefined;
  }

  /** Keeps it and sends it when its turn comes. Resolves when the server has stored it. */
  add(entry: Omit<OutboxEntry, 'owner'>): Promise<Sent> {
    const item: Item = { entry: { ...entry, owner: '' }, saved: false, remote: false, tries: 0, waiters: [] };
    this.#items.push(item);
    this.#ports.changed(entry.booking_id);
    void this.#save(item).then(() => {
      this.#tabs?.tell({ told: 'added', entry: item.entry });
      this.#pump(entry.booking_id);
    });
    return settling(item);
  }

  /** A failed message is sent again, under the same `client_id`. */
  async retry(clientId: string): Promise<Sent> {
    const item = this.#find(clientId);
    if (!item) throw new CurblineError('not_found', 'There is no unsent message with this client_id.');
    const sent = settling(item);
    this.#revive(item);
    void this.#save(item).then(() => {
      this.#tabs?.tell({ told: 'retried', client_id: clientId });
      this.#pump(item.entry.booking_id);
    });
    return sent;
  }

  /** Forgets a message. One that is on its way may still be stored. */
  async discard(clientId: string): Promise<void> {
    const item = this.#take(clientId);
    if (!item) return;
    for (const waiter of item.waiters)
      waiter.reject(new CurblineError('closed', 'The message was discarded.'));
    await this.#opening;
    await this.#store.remove(clientId);
    this.#tabs?.tell({ told: 'discarded', client_id: clientId });
  }

  /** The server has it, whoever told. */
  settle(sent: Sent): void {
    if (!this.#settleHere(sent)) return;
    this.#store.remove(sent.message.client_id).then(
      () => this.#tabs?.tell({ told: 'stored', sent }),
      (cause: unknown) => this.#ports.error(asCurblineError(cause, 'storage')),
    );
  }

  /** There is a link that can carry messages. */
  resume(): void {
    const turn = (this.#turn += 1);
    const go = (): void => {
      if (turn !== this.#turn) return;
      this.#sending = true;
      for (const bookingId of new Set(this.#items.map(({ entry }) => entry.booking_id)))
        this.#pump(bookingId);
    };
    void this.#opening.then(() => {
      if (!this.#tabs || turn !== this.#turn) return go();
      // The tab that sent until now may have kept or removed entries that this one never heard of.
      this.#tabs.lead(() => void this.#load().then(go));
    });
  }

  /** There is no link: another tab may have one. */
  suspend(): void {
    this.#turn += 1;
    this.#sending = false;
    this.#tabs?.handOver();
  }

  /** Stops here; what is unsent stays in the store. */
  async close(): Promise<void> {
    this.suspend();
    this.#tabs?.close();
    this.#tabs = undefined;
    const error = new CurblineError('closed', 'The client was closed; the message stays in the outbox.');
    for (const item of this.#items) for (const waiter of item.waiters.splice(0)) waiter.reject(error);
    await this.#store.close?.();
  }

  async #load(): Promise<void> {
    const owner = this.#owner ?? '';
    try {
      const entries = await this.#store.load(owner);
      const known = entries.filter(({ client_id }) => !this.has(client_id));
      const loaded = known.map((entry): Item => ({
        entry,
        saved: true,
        remote: false,
        tries: 0,
        waiters: [],
      }));
      this.#items = [...loaded, ...this.#items];
      for (const { booking_id } of known) this.#ports.changed(booking_id);
    } catch (cause) {
      this.#ports.error(asCurblineError(cause, 'storage'));
    }
  }

  async #save(item: Item): Promise<void> {
    await this.#opening;
    item.entry = { ...item.entry, owner: this.#owner ?? '' };
    try {
      await this.#store.put(item.entry);
    } catch (cause) {
      // Better sent without a net than not at all; the app is told.
      this.#ports.error(asCurblineError(cause, 'storage'));
    }
    item.saved = true;
  }

  #pump(bookingId: string): void {
    if (!this.#sending || this.#busy.has(bookingId)) return;
    const mine = (item: Item): boolean => !item.remote || this.#tabs?.locks !== undefined;
    const item = this.#items.find(
      (each) => each.entry.booking_id === bookingId && !each.entry.error && mine(each),
    );
    if (!item?.saved) return;
    this.#busy.add(bookingId);
    void this.#try(item)
      .then(pause)
      .then(() => {
        this.#busy.delete(bookingId);
        this.#pump(bookingId);
      });
  }

  /** Milliseconds to wait before the next one. */
  async #try(item: Item): Promise<number> {
    try {
      const sent = await this.#ports.send(item.entry);
      // The waiters hear it from the answer itself: the log would not know whether it was a repeat.
      for (const waiter of item.waiters.splice(0)) waiter.resolve(sent);
      this.#ports.stored(sent);
      this.settle(sent);
    } catch (cause) {
      const error = asCurblineError(cause, 'internal');
      // No answer: it is not known whether it is stored. The next link finds out with the same client_id.
      if (isLinkLost(error) || error.code === 'closed') this.#sending = false;
      else if (error.retryable) {
        item.tries += 1;
        return Math.max(
          error.retryAfterMs ?? 0,
          jittered(Math.min(10_000, 250 * 2 ** Math.min(item.tries, 10))),
        );
      } else this.#fail(item, error);
    }
    return 0;
  }

  #fail(item: Item, { code, message, retryable, details, requestId }: CurblineError): void {
    const error = {
      code,
      message,
      retryable,
      details,
      ...(requestId && { request_id: requestId }),
    } as Failure;
    const { client_id } = item.entry;
    this.#failHere(item, error);
    if (this.has(client_id)) {
      void this.#save(item).then(() => this.#tabs?.tell({ told: 'failed', client_id, error }));
    }
  }

  #failHere(item: Item, error: Failure): void {
    item.entry = { ...item.entry, error };
    for (const waiter of item.waiters.splice(0)) waiter.reject(CurblineError.from(error));
    this.#ports.changed(item.entry.booking_id);
  }

  #revive(item: Item): void {
    const { error: _, ...entry } = item.entry;
    item.entry = entry;
    item.tries = 0;
    this.#ports.changed(entry.booking_id);
  }

  #settleHere(sent: Sent): boolean {
    const item = this.#take(sent.message.client_id);
    for (const waiter of item?.waiters ?? []) waiter.resolve(sent);
    return item !== undefined;
  }

  #hear(news: TabNews): void {
    if (news.told === 'added') {
      if (this.has(news.entry.client_id)) return;
      this.#items.push({ entry: news.entry, saved: true, remote: true, tries: 0, waiters: [] });
      this.#ports.changed(news.entry.booking_id);
      return this.#pump(news.entry.booking_id);
    }
    if (news.told === 'stored') {
      this.#ports.stored(news.sent);
      return void this.#settleHere(news.sent);
    }
    const item = this.#find(news.client_id);
    if (!item) return;
    if (news.told === 'failed') return this.#failHere(item, news.error);
    if (news.told === 'discarded') return void this.#take(news.client_id);
    this.#revive(item);
    this.#pump(item.entry.booking_id);
  }

  #find(clientId: string): Item | undefined {
    return this.#items.find(({ entry }) => entry.client_id === clientId);
  }

  #take(clientId: string): Item | undefined {
    const item = this.#find(clientId);
    if (item) {
      this.#items = this.#items.filter((each) => each !== item);
      this.#ports.changed(item.entry.booking_id);
    }
    return item;
  }
}

/** A promise for the entry's fate that may be left alone: the message's state tells the same. */
const settling = (item: Item): Promise<Sent> => {
  const promise = new Promise<Sent>((resolve, reject) => void item.waiters.push({ resolve, reject }));
  promise.catch(() => undefined);
  return promise;
};
