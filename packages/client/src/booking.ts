import type {
  ConnectionObject,
  EventName,
  EventPayload,
  LocationObject,
  MessageObject,
  PayloadInput,
  PresenceObject,
  Result,
} from '@curbline/contract';
import { LIMITS } from '@curbline/contract/wire';
import { jittered, type Connection } from './connection.js';
import { asCurblineError, CurblineError } from './curbline-error.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { newClientId, type Identity } from './identity.js';
import { furthest, Marks } from './marks.js';
import type { Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-store.js';
import { Thread } from './thread.js';
import type {
  BookingEvents,
  ChatMessage,
  Content,
  JoinOptions,
  MessageState,
  PageQuery,
  Position,
  Receipts,
  Sent,
  Typist,
} from './types.js';
import { OwnTyping, Typists } from './typing.js';

/** What a booking needs of its client. */
export interface BookingHost {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly user: Identity | undefined;
}

const NOTHING_READ = { delivered_seq: 0, read_seq: 0 };
const HINT_MS = 1_000;

/** One booking's chat: the thread, what is being sent, who is there. Made by `chat.booking(id)`. */
export class Booking {
  /** The host's id of the booking. */
  readonly id: string;
  readonly #host: BookingHost;
  readonly #emitter = new Emitter<BookingEvents>();
  readonly #thread = new Thread();
  readonly #marks: Marks;
  readonly #typing: OwnTyping;
  readonly #typists: Typists;
  readonly #applied = new Set<string>();
  readonly #shown = new WeakMap<object, ChatMessage>();
  #snapshot: readonly ChatMessage[] | undefined;
  #receipts: Receipts | undefined;
  #counterpart = NOTHING_READ;
  #view: ConnectionObject | undefined;
  #presence: readonly PresenceObject[] = [];
  #locations: readonly LocationObject[] = [];
  #joined = false;
  #joining: Promise<ConnectionObject> | undefined;
  #catchingUp = false;
  #hasEarlier = false;
  #sharing: Promise<void> | undefined;
  #position: Position | undefined;
  #sharedAt = 0;

  /** @internal */
  constructor(id: string, host: BookingHost) {
    this.id = id;
    this.#host = host;
    const { connection } = host;
    this.#marks = new Marks(
      (marks) => connection.request('receipt.mark', { booking_id: id, ...marks }),
      () => this.#changed(),
    );
    this.#typing = new OwnTyping((typing) => {
      // Lost or refused, it expires by itself on the other side.
      connection.ask('typing.set', { booking_id: id, typing }).catch(() => undefined);
    });
    this.#typists = new Typists(() => {
      this.#emitter.emit('typing.updated', this.#typists.all);
      this.#changed();
    });
  }

  /** Listens; the returned function takes the listener off again. */
  on<N extends keyof BookingEvents>(name: N, listener: (payload: BookingEvents[N]) => void): Unsubscribe {
    return this.#emitter.on(name, listener);
  }

  /** The thread, oldest first, own unsent messages at its end. Immutable: a change makes a new array. */
  get messages(): readonly ChatMessage[] {
    return (this.#snapshot ??= this.#show());
  }

  /** The booking as `join` last answered it, kept up to date by events. */
  get view(): ConnectionObject | undefined {
    return this.#view;
  }

  /** Others who are typing now. */
  get typing(): readonly Typist[] {
    return this.#typists.all;
  }

  /** Presence of the other participants. */
  get presence(): readonly PresenceObject[] {
    return this.#presence;
  }

  /** Last known positions of participants. */
  get locations(): readonly LocationObject[] {
    return this.#locations;
  }

  /** How far each side is. */
  get receipts(): Receipts {
    return (this.#receipts ??= { own: this.#marks.own, counterpart: this.#counterpart });
  }

  /** Whether `loadEarlier` would bring something. */
  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  /** Others' messages that this person has not read, of those in `messages`. */
  get unread(): number {
    const { read_seq } = this.#marks.own;
    return this.#thread.messages.filter((message) => message.seq > read_seq && !this.#isMine(message)).length;
  }

  /** Takes the seat and starts the thread; connects when needed, waits while offline. */
  join(options: JoinOptions = {}): Promise<ConnectionObject> {
    return (this.#joining ??= this.#join(options).finally(() => (this.#joining = undefined)));
  }

  /**
   * Queues a message and sends it when its turn comes, over reconnects, reloads and crashes. Resolves when the server
   * has stored it; rejects when it failed for good (then its state is `failed`, and `retry` or `discard` decide).
   * The promise may be ignored: `messages` shows the same.
   */
  send(content: Content): Promise<Sent> {
    this.#typing.set(false);
    const { outbox, connection } = this.#host;
    const entry = { booking_id: this.id, client_id: newClientId(), created_at: new Date().toISOString() };
    const sent = outbox.add({ ...entry, ...commandOf(content) });
    if (connection.state === 'idle') connection.start().catch(() => undefined);
    return sent;
  }

  /** Sends a failed message again, under the same `client_id`. */
  retry(clientId: string): Promise<Sent> {
    return this.#host.outbox.retry(clientId);
  }

  /** Forgets an unsent message. */
  discard(clientId: string): Promise<void> {
    return this.#host.outbox.discard(clientId);
  }

  /** One page of the log as the server answers it; `messages` does not change. */
  list(page: PageQuery = {}): Promise<Result<'message.list'>> {
    return this.#host.connection.request('message.list', { booking_id: this.id, ...page });
  }

  /** The log backwards from the newest message, or from before a seq, page by page as it is read. */
  async *history({
    before_seq,
    limit = LIMITS.pageDefault,
  }: Omit<PageQuery, 'after_seq'> = {}): AsyncGenerator<MessageObject> {
    for (let before = before_seq; ;) {
      const page = await this.list({ limit, ...(before !== undefined && { before_seq: before }) });
      yield* page.messages.toReversed();
      before = page.messages[0]?.seq;
      if (!page.has_more || before === undefined) return;
    }
  }

  /** Puts a page of earlier messages in front of `messages`; says whether there are more. */
  async loadEarlier(limit: number = LIMITS.pageDefault): Promise<boolean> {
    const first = this.#thread.messages[0]?.seq ?? (this.#thread.position ?? 0) + 1;
    const page = await this.list({ before_seq: first, limit });
    for (const message of page.messages) this.#own(message);
    this.#thread.prepend(page.messages);
    this.#hasEarlier = page.has_more;
    this.#changed();
    return page.has_more;
  }

  /** Marks as read up to a seq; all that is here when left out. Resolves when the server knows. */
  async markRead(seq: number | undefined = this.#thread.position): Promise<void> {
    if (seq !== undefined) await this.#marks.want({ read_seq: seq });
  }

  /** Call it on each key press, or once at the start and once at the end: throttled and repeated as needed. */
  setTyping(typing: boolean): void {
    this.#typing.set(typing);
  }

  /** Shares where this person is: at most once a second, the last one wins. Not queued while offline. */
  shareLocation(position: Position): Promise<void> {
    this.#position = position;
    if (!this.#sharing) {
      this.#sharing = this.#share().finally(() => (this.#sharing = undefined));
      this.#sharing.catch(() => undefined);
    }
    return this.#sharing;
  }

  /** @internal Where a catch-up of this booking starts; undefined when it is not joined. */
  get syncFrom(): number | undefined {
    return this.#joined ? this.#thread.position : undefined;
  }

  /** @internal One booking's part of an answered `sync`. */
  synced(entry: Result<'sync'>['bookings'][number]): void {
    if ('error' in entry)
      return this.#lost(CurblineError.from(entry.error as Parameters<typeof CurblineError.from>[0]));
    const { status, chat, closes_at, receipts, presence, locations, messages, has_more, last_seq } = entry;
    const known = this.#view?.user_detail;
    this.#updateView({ status, chat, closes_at });
    for (const receipt of receipts) this.#heardReceipt(receipt);
    for (const someone of presence) this.#heardPresence(someone);
    for (const location of locations) this.#heardLocation(location);
    this.#tell(this.#thread.page(messages));
    if (has_more || this.#thread.behind || last_seq > (this.#thread.position ?? 0)) this.catchUp();
    // The other seat changed hands while this client was away.
    const other = presence.find(({ scope, user_id }) => scope === known?.scope && user_id !== known._id);
    if (other) this.#refreshView();
    this.#changed();
  }

  /** @internal */
  heard<N extends EventName>(name: N, payload: EventPayload<N>): void {
    const handle = this.#handlers[name] as ((payload: EventPayload<N>) => void) | undefined;
    handle?.call(this, payload);
  }

  /** @internal The server has stored a message of this person's. */
  stored(message: MessageObject): void {
    this.#hear(message);
  }

  /** @internal Something outside the log has changed. */
  changed(): void {
    this.#changed();
  }

  /** @internal Reads the log from the last applied seq on, until nothing is missing. */
  catchUp(): void {
    if (this.#catchingUp || this.#thread.position === undefined || !this.#joined) return;
    this.#catchingUp = true;
    void this.#readOn().finally(() => (this.#catchingUp = false));
  }

  async #readOn(): Promise<void> {
    for (let idle = 0; this.#joined;) {
      try {
        const page = await this.list({ after_seq: this.#thread.position ?? 0, limit: LIMITS.pageMax });
        const progress = this.#tell(this.#thread.page(page.messages));
        if (!page.has_more && !this.#thread.behind) return;
        // A page may be older than the event that led here: look again, soon and then less often.
        idle = progress ? 0 : idle + 1;
        if (idle) await pause(jittered(Math.min(5_000, 25 * 2 ** idle)));
      } catch (cause) {
        const error = asCurblineError(cause, 'internal');
        if (error.code === 'closed') return;
        if (!error.retryable) return this.#lost(error);
        await pause(jittered(error.retryAfterMs ?? 1_000));
      }
    }
  }

  async #join({ after_seq, history = LIMITS.pageDefault }: JoinOptions): Promise<ConnectionObject> {
    const { connection } = this.#host;
    const after = this.#thread.position ?? after_seq;
    const answer = await connection.request('booking.join', {
      booking_id: this.id,
      ...(after !== undefined && { after_seq: after }),
    });
    const { messages = [], has_more: _, ...view } = answer;
    this.#see(view);
    if (after === undefined) {
      const page = await this.list({ limit: history });
      for (const message of page.messages) this.#own(message);
      this.#hasEarlier = page.has_more;
      this.#joined = true;
      this.#tell(this.#thread.start(page.messages.at(-1)?.seq ?? view.from_seq - 1, page.messages));
    } else {
      this.#joined = true;
      this.#hasEarlier = after >= view.from_seq;
      if (this.#thread.position === undefined) this.#tell(this.#thread.start(after, []));
      this.#tell(this.#thread.page(messages));
    }
    this.#markDelivered();
    if (this.#thread.behind || view.last_seq > (this.#thread.position ?? 0)) this.catchUp();
    this.#changed();
    return this.#view ?? view;
  }

  readonly #handlers: { [N in EventName]?: (payload: EventPayload<N>) => void } = {
    'create-connection': (view) => {
      this.#see(view);
      this.#emitter.emit('create-connection', view);
    },
    'message.created': ({ message }) => this.#hear(message),
    'receipt.updated': (receipt) => {
      this.#heardReceipt(receipt);
      this.#emitter.emit('receipt.updated', receipt);
    },
    'typing.updated': (typing) => {
      if (typing.user_id !== this.#host.user?.user_id) this.#typists.hear(typing);
    },
    'presence.updated': (presence) => {
      this.#heardPresence(presence);
      this.#emitter.emit('presence.updated', presence);
      this.#changed();
    },
    'location.updated': (location) => {
      this.#heardLocation(location);
      this.#emitter.emit('location.updated', location);
      this.#changed();
    },
    'booking.updated': (update) => {
      const { status, chat, closes_at, reason } = update;
      this.#updateView({ status, chat, closes_at });
      if (reason === 'unassigned') this.#joined = false;
      if (reason === 'reassigned') this.#refreshView();
      this.#emitter.emit('booking.updated', update);
      this.#changed();
    },
  };

  #hear(message: MessageObject): void {
    this.#tell(this.#thread.hear(message));
    if (this.#thread.behind) this.catchUp();
    this.#changed();
  }

  /** Tells the app what was applied, in order. Says whether there was any. */
  #tell(applied: readonly MessageObject[]): boolean {
    for (const message of applied) {
      this.#own(message);
      this.#typists.hear({ ...(message.sender as Identity), typing: false });
    }
    if (applied.length > 0) {
      this.#snapshot = undefined;
      for (const message of applied) this.#emitter.emit('message.created', message);
      this.#markDelivered();
      this.#changed();
    }
    return applied.length > 0;
  }

  /** An own message in the log is as good as the answer that brought it there. */
  #own(message: MessageObject): void {
    if (!this.#isMine(message)) return;
    this.#applied.add(message.client_id);
    if (this.#host.outbox.has(message.client_id)) this.#host.outbox.settle({ message, duplicate: true });
  }

  #isMine({ sender }: MessageObject): boolean {
    const { user } = this.#host;
    return sender.user_id === user?.user_id && sender.scope === user.scope;
  }

  #markDelivered(): void {
    const last = this.#thread.messages.findLast((message) => !this.#isMine(message));
    // Not told, it is told again with the next message or the next join.
    if (last) this.#marks.want({ delivered_seq: last.seq }).catch(() => undefined);
  }

  #heardReceipt(receipt: { user_id: string; scope: string; delivered_seq: number; read_seq: number }): void {
    const { user } = this.#host;
    if (receipt.user_id === user?.user_id && receipt.scope === user.scope) this.#marks.hear(receipt);
    else if (receipt.scope !== 'support') this.#counterpart = furthest(this.#counterpart, receipt);
    this.#changed();
    // Someone has a message that this client has not: give the live event a moment, then look.
    const seq = Math.max(receipt.delivered_seq, receipt.read_seq);
    if (this.#joined && seq > (this.#thread.position ?? seq)) {
      setTimeout(() => seq > (this.#thread.position ?? seq) && this.catchUp(), HINT_MS);
    }
  }

  #heardPresence(presence: PresenceObject): void {
    if (presence.user_id === this.#host.user?.user_id) return;
    const { user_id, scope, online, last_seen_at, types } = presence;
    const entry = { user_id, scope, online, types, ...(last_seen_at !== undefined && { last_seen_at }) };
    this.#presence = [...this.#presence.filter((other) => other.user_id !== user_id), entry];
    if (!online) this.#typists.hear({ user_id, scope, typing: false });
  }

  #heardLocation(location: LocationObject): void {
    this.#locations = [...this.#locations.filter((other) => other.user_id !== location.user_id), location];
  }

  #see(view: ConnectionObject): void {
    if (this.#view && this.#view.user_detail._id !== view.user_detail._id) this.#presence = [];
    this.#view = view;
    this.#marks.hear(view);
    this.#counterpart = furthest(this.#counterpart, view.counterpart);
    const { _id: user_id, scope } = view.user_detail;
    const { online, last_seen_at } = view.counterpart;
    const types = this.#presence.find((other) => other.user_id === user_id)?.types ?? [];
    this.#heardPresence({
      user_id,
      scope,
      online,
      types,
      ...(last_seen_at !== undefined && { last_seen_at }),
    });
    this.#changed();
  }

  #updateView(update: {
    status: string;
    chat: ConnectionObject['chat'];
    closes_at?: string | undefined;
  }): void {
    if (!this.#view) return;
    const { closes_at: _, ...view } = this.#view;
    const { closes_at, status, chat } = update;
    this.#view = { ...view, status, chat, ...(closes_at !== undefined && { closes_at }) };
    if (chat === 'closed') this.#locations = [];
  }

  #refreshView(): void {
    this.#host.connection.request('booking.join', { booking_id: this.id }).then(
      ({ messages: _, has_more: __, ...view }) => this.#see(view),
      (cause: unknown) => {
        const error = asCurblineError(cause, 'internal');
        if (error.code !== 'closed') this.#emitter.emit('error', error);
      },
    );
  }

  #lost(error: CurblineError): void {
    // A closed chat may be opened again; a seat that is gone has to be joined again.
    if (error.code === 'chat_closed') this.#updateView({ ...this.#view!, chat: 'closed' });
    else this.#joined = false;
    this.#emitter.emit('error', error);
    this.#changed();
  }

  async #share(): Promise<void> {
    await pause(this.#sharedAt + LIMITS.locationEveryMs - Date.now());
    this.#sharedAt = Date.now();
    await this.#host.connection.ask('location.share', { booking_id: this.id, ...this.#position! });
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#receipts = undefined;
    this.#emitter.emit('change', undefined);
  }

  #show(): ChatMessage[] {
    const early = this.#thread.early.filter((message) => this.#isMine(message));
    const stored = new Set(early.map(({ client_id }) => client_id));
    const unsent = this.#host.outbox
      .of(this.id)
      .filter(({ client_id }) => !this.#applied.has(client_id) && !stored.has(client_id));
    return [
      ...[...this.#thread.messages, ...early].map((message) => this.#showStored(message)),
      ...unsent.map((entry) => this.#showUnsent(entry)),
    ];
  }

  #showStored(message: MessageObject): ChatMessage {
    const mine = this.#isMine(message);
    const { delivered_seq, read_seq } = mine ? this.#counterpart : this.#marks.own;
    const reached = (seq: number): boolean => message.seq <= seq;
    const state: MessageState = reached(read_seq) ? 'read' : reached(delivered_seq) ? 'delivered' : 'stored';
    const shown = this.#shown.get(message);
    if (shown?.state === state && shown.mine === mine) return shown;
    const next: ChatMessage = { ...message, mine, state };
    this.#shown.set(message, next);
    return next;
  }

  #showUnsent(entry: OutboxEntry): ChatMessage {
    const shown = this.#shown.get(entry);
    if (shown) return shown;
    const { booking_id, client_id, kind, body, created_at, error } = entry;
    const sender = this.#host.user ?? { user_id: '', scope: 'customer' };
    const common = { booking_id, client_id, kind, body, created_at, sender, mine: true } as const;
    const next: ChatMessage = error
      ? { ...common, state: 'failed', error: CurblineError.from(error) }
      : { ...common, state: 'queued' };
    this.#shown.set(entry, next);
    return next;
  }
}

const commandOf = (content: Content): Pick<PayloadInput<'message.send'>, 'kind' | 'body'> => {
  if ('text' in content) return { kind: 'text', body: { text: content.text } };
  if ('location' in content) return { kind: 'location', body: content.location };
  return { kind: 'canned', body: { key: content.canned, ...(content.params && { params: content.params }) } };
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, Math.max(0, ms)));
