import { asCurblineError, CurblineError, isLinkLost } from './curbline-error.js';
import { mayBeLeftAlone } from './left-alone.js';
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
  error: (error: CurblineError) => void;
}

type Failure = NonNullable<OutboxEntry['error']>;

interface Waiter {
  resolve(sent: Sent): void;
  reject(error: CurblineError): void;
}

interface Item {
  entry: OutboxEntry;
  /** Nothing is sent before it was put into the store, or the store has refused it. */
  saved: boolean;
  /** In the store as it is here. */
  kept: boolean;
  /** Another tab added it. */
  remote: boolean;
  tries: number;
  /** How often the server answered with a fault of its own. */
  faults: number;
  waiters: Waiter[];
}

/** A message that makes the server fail so often would keep all that follows it from being sent. */
const FAULTS_MAX = 10;
const NEWS_MS = 1_000;

const itemOf = (entry: OutboxEntry, how: Partial<Item> = {}): Item => ({
  entry,
  saved: true,
  kept: true,
  remote: false,
  tries: 0,
  faults: 0,
  waiters: [],
  ...how,
});

/**
 * What this person has said and the server has not confirmed. Kept in a store before it is sent, taken out after the
 * confirmation; one message in flight for each booking, so that a later one can never overtake an earlier one.
 */
export class Outbox {
  readonly #store: OutboxStore;
  readonly #ports: OutboxPorts;
  readonly #busy = new Set<string>();
  readonly #work = new Set<Promise<unknown>>();
  /** Taken out here: what is read from the store meanwhile may still have them. */
  readonly #gone = new Set<string>();
  #items: Item[] = [];
  #owner: string | undefined;
  #opening: Promise<void>;
  #open!: () => void;
  #tabs: Tabs | undefined;
  #sending = false;
  /** What an earlier life left behind is here. */
  #loaded = false;
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
    const item = itemOf({ ...entry, owner: '' }, { saved: false });
    this.#items.push(item);
    this.#ports.changed(entry.booking_id);
    this.#save(item, () => ({ told: 'added', entry: item.entry }));
    return settling(item);
  }

  /** A failed message is sent again, under the same `client_id`. */
  async retry(clientId: string): Promise<Sent> {
    const item = this.#find(clientId);
    if (!item) throw new CurblineError('not_found', 'There is no unsent message with this client_id.');
    const sent = settling(item);
    this.#revive(item);
    this.#save(item, () => ({ told: 'retried', client_id: clientId }));
    return sent;
  }

  /** Forgets a message. One that is on its way may still be stored. */
  async discard(clientId: string): Promise<void> {
    // Before it is known whose the store is, nothing was put into it.
    if (!this.#discardHere(clientId) || this.#owner === undefined) return;
    await this.#working(this.#opening.then(() => this.#store.remove(clientId)));
    this.#tabs?.tell({ told: 'discarded', client_id: clientId });
  }

  /** The server has it, whoever told. */
  settle(sent: Sent): void {
    if (!this.#settleHere(sent)) return;
    this.#working(this.#store.remove(sent.message.client_id)).then(
      () => this.#tabs?.tell({ told: 'stored', sent }),
      this.#ports.error,
    );
  }

  /** There is a link that can carry messages. */
  resume(): void {
    const turn = (this.#turn += 1);
    this.#sending = false;
    const go = (): void => {
      if (turn !== this.#turn) return;
      this.#sending = true;
      for (const bookingId of new Set(this.#items.map(({ entry }) => entry.booking_id)))
        this.#pump(bookingId);
    };
    void this.#opening.then(() => {
      if (turn !== this.#turn) return;
      if (!this.#tabs) return this.#loaded ? go() : void this.#load().then(go);
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
    const known = this.#owner !== undefined;
    const fate = known ? 'the message stays in the outbox' : 'it was not known yet whose the message is';
    const error = new CurblineError('closed', `The client was closed; ${fate}.`, { retryable: !known });
    for (const item of this.#items) for (const waiter of item.waiters.splice(0)) waiter.reject(error);
    // What was said last may still be on its way to the disk.
    if (known) await Promise.allSettled(this.#work);
    await this.#working(this.#store.close?.());
  }

  /** Takes over what the store says; what changes here while it is read is newer. */
  async #load(): Promise<void> {
    const before = new Map(this.#items.filter(({ kept }) => kept).map((item) => [item, item.entry]));
    try {
      const entries = await this.#store.load(this.#owner ?? '');
      const kept = new Map(entries.map((entry) => [entry.client_id, entry]));
      for (const [item, { client_id }] of before) {
        if (item.entry === before.get(item)) this.#catchUp(item, kept.get(client_id));
      }
      const missing = entries.filter(({ client_id }) => !this.has(client_id) && !this.#gone.has(client_id));
      this.#items = [...missing.map((entry) => itemOf(entry)), ...this.#items];
      this.#loaded = true;
      for (const { booking_id } of missing) this.#ports.changed(booking_id);
    } catch (cause) {
      this.#ports.error(asCurblineError(cause, 'storage'));
    }
  }

  /** What another tab did to an entry, if its news did not get here. */
  #catchUp(item: Item, kept: OutboxEntry | undefined): void {
    const { entry } = item;
    // Its tab may be gone: whoever loads it sends it.
    item.remote = false;
    if (!kept) {
      // Stored or discarded. The news that says which may be on its way.
      item.saved = false;
      setTimeout(() => {
        if (item.entry === entry && this.#discardHere(entry.client_id)) this.#pump(entry.booking_id);
      }, NEWS_MS);
    } else if (kept.error && !item.entry.error) this.#failHere(item, kept.error);
    else if (!kept.error && item.entry.error) this.#revive(item);
  }

  /** Puts it into the store, tells the other tabs and sends it when its turn comes. */
  #save(item: Item, news: () => TabNews): void {
    const { booking_id, client_id } = item.entry;
    item.kept = false;
    const put = async (): Promise<void> => {
      await this.#opening;
      // Stored or discarded meanwhile.
      if (!this.has(client_id)) return;
      const entry = (item.entry = { ...item.entry, owner: this.#owner ?? '' });
      await this.#store.put(entry);
      item.kept = item.entry === entry;
      // The store works again: what is older goes first.
      if (!this.#loaded) await this.#load();
    };
    // Better sent without a net than not at all; the app is told.
    const done = this.#working(put()).catch(this.#ports.error);
    void done.then(() => {
      item.saved = true;
      if (this.has(client_id)) this.#tabs?.tell(news());
      this.#pump(booking_id);
    });
  }

  /** Work on the store, which ends before the store is closed. */
  async #working<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    const task = Promise.resolve(work);
    this.#work.add(task);
    try {
      return await task;
    } catch (cause) {
      throw asCurblineError(cause, 'storage');
    } finally {
      this.#work.delete(task);
    }
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
      else if (error.code === 'internal' && (item.faults += 1) >= FAULTS_MAX) {
        this.#fail(item, error);
        this.#ports.error(error);
      } else if (error.retryable) {
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
    this.#failHere(item, error);
    const { client_id } = item.entry;
    if (this.has(client_id)) this.#save(item, () => ({ told: 'failed', client_id, error }));
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
    item.faults = 0;
    this.#ports.changed(entry.booking_id);
  }

  #discardHere(clientId: string): boolean {
    const item = this.#take(clientId);
    const error = new CurblineError('closed', 'The message was discarded.', { retryable: false });
    for (const waiter of item?.waiters.splice(0) ?? []) waiter.reject(error);
    return item !== undefined;
  }

  #settleHere(sent: Sent): boolean {
    const item = this.#take(sent.message.client_id);
    for (const waiter of item?.waiters ?? []) waiter.resolve(sent);
    return item !== undefined;
  }

  #hear(news: TabNews): void {
    if (news.told === 'added') {
      const { client_id } = news.entry;
      if (this.has(client_id) || this.#gone.has(client_id)) return;
      this.#items.push(itemOf(news.entry, { remote: true }));
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
    if (news.told === 'discarded') return void this.#discardHere(news.client_id);
    this.#revive(item);
    this.#pump(item.entry.booking_id);
  }

  #find(clientId: string): Item | undefined {
    return this.#items.find(({ entry }) => entry.client_id === clientId);
  }

  #take(clientId: string): Item | undefined {
    const item = this.#find(clientId);
    if (item) {
      this.#gone.add(clientId);
      this.#items = this.#items.filter((each) => each !== item);
      this.#ports.changed(item.entry.booking_id);
    }
    return item;
  }
}

/** A promise for the entry's fate; the message's state tells the same. */
const settling = (item: Item): Promise<Sent> =>
  mayBeLeftAlone(new Promise((resolve, reject) => void item.waiters.push({ resolve, reject })));
