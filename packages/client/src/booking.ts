import { LIMITS } from '@curbline/contract/wire';
import type {
  ConnectionObject,
  EventName,
  EventPayload,
  LocationObject,
  MessageObject,
  PresenceObject,
  ReceiptObject,
  Result,
} from '@curbline/contract';
import { backwards, CatchUp } from './catch-up.js';
import type { Connection } from './connection.js';
import { asCurblineError, CurblineError } from './curbline-error.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import type { Identity } from './identity.js';
import { mayBeLeftAlone } from './left-alone.js';
import { Marks } from './marks.js';
import type { Outbox } from './outbox.js';
import { People } from './people.js';
import { PositionSharing } from './position-sharing.js';
import { ShownMessages } from './shown-messages.js';
import type {
  BookingEvents,
  ChatMessage,
  Content,
  JoinOptions,
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
  send(bookingId: string, content: Content): Promise<Sent>;
  user(): Identity | undefined;
}

/** One booking's chat: the thread, what is being sent, who is there. Made by `chat.booking(id)`. */
export class Booking {
  /** The host's id of the booking. */
  readonly id: string;
  readonly #host: BookingHost;
  readonly #emitter = new Emitter<BookingEvents>();
  readonly #log: CatchUp;
  readonly #people: People;
  readonly #marks: Marks;
  readonly #typing: OwnTyping;
  readonly #typists: Typists;
  readonly #sharing: PositionSharing;
  readonly #shown = new ShownMessages();
  #snapshot: readonly ChatMessage[] | undefined;
  #joining: Promise<ConnectionObject> | undefined;
  #hasEarlier = false;
  /** How the app joined: a seat that comes, or comes back, is taken in the same way. */
  #wanted: JoinOptions | undefined;

  /** @internal */
  constructor(id: string, host: BookingHost) {
    this.id = id;
    this.#host = host;
    const { connection } = host;
    const changed = (): void => this.changed();
    this.#people = new People(() => host.user());
    this.#log = new CatchUp({
      list: (page) => connection.once('message.list', { booking_id: id, ...page }),
      applied: (messages) => this.#applied(messages),
      lost: (error) => this.#lost(error),
    });
    this.#marks = new Marks(
      (marks) => connection.request('receipt.mark', { booking_id: id, ...marks }),
      changed,
    );
    this.#typing = new OwnTyping((typing) => {
      // Lost or refused, it expires by itself on the other side.
      connection.ask('typing.set', { booking_id: id, typing }).catch(() => undefined);
    });
    this.#typists = new Typists(() => {
      this.#emitter.emit('typing.updated', this.#typists.all);
      this.changed();
    });
    this.#sharing = new PositionSharing((position) =>
      connection.ask('location.share', { booking_id: id, ...position }),
    );
  }

  /** Listens; the returned function takes the listener off again. */
  on<N extends keyof BookingEvents>(name: N, listener: (payload: BookingEvents[N]) => void): Unsubscribe {
    return this.#emitter.on(name, listener);
  }

  /** The thread, oldest first, own unsent messages at its end. Immutable: a change makes a new array. */
  get messages(): readonly ChatMessage[] {
    return (this.#snapshot ??= this.#show());
  }

  /** The booking as `join` answered it, kept up to date by events. */
  get view(): ConnectionObject | undefined {
    return this.#people.view;
  }

  /** Whether the thread follows the booking's log. */
  get joined(): boolean {
    return this.#log.following;
  }

  /** Others who are typing now. */
  get typing(): readonly Typist[] {
    return this.#typists.all;
  }

  /** Presence of the other participants. */
  get presence(): readonly PresenceObject[] {
    return this.#people.presence;
  }

  /** Last known positions of participants. */
  get locations(): readonly LocationObject[] {
    return this.#people.locations;
  }

  /** How far each side is. The same object until one of them moves. */
  get receipts(): Receipts {
    return this.#people.receipts(this.#marks.own);
  }

  /** Whether `loadEarlier` would bring something. */
  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  /** Others' messages in `messages` that this person has not read. */
  get unread(): number {
    return this.#people.unread(this.#log.thread.messages, this.#marks.own);
  }

  /**
   * Takes the seat and starts the thread; connects when needed, waits while offline. A seat that is not there yet, or is
   * lost, is taken by itself when it comes. The promise may be left alone: `joined` and `view` show the same.
   */
  join(options: JoinOptions = {}): Promise<ConnectionObject> {
    this.#wanted = options;
    return (this.#joining ??= mayBeLeftAlone(this.#join(options).finally(() => (this.#joining = undefined))));
  }

  /**
   * Queues a message and sends it when its turn comes, over reconnects, reloads and crashes. Resolves when the server
   * has stored it; rejects when it failed for good (its state is then `failed`; `retry` or `discard` it).
   * The promise may be left alone: `messages` shows the same.
   */
  send(content: Content): Promise<Sent> {
    this.#typing.set(false);
    return this.#host.send(this.id, content);
  }

  /** Sends a failed message again, under the same `client_id`. */
  retry(clientId: string): Promise<Sent> {
    return mayBeLeftAlone(this.#host.outbox.retry(clientId));
  }

  /** Forgets an unsent message. */
  discard(clientId: string): Promise<void> {
    return mayBeLeftAlone(this.#host.outbox.discard(clientId));
  }

  /** One page of the log as the server answers it; `messages` does not change. */
  list(page: PageQuery = {}): Promise<Result<'message.list'>> {
    return this.#host.connection.request('message.list', { booking_id: this.id, ...page });
  }

  /** The log backwards from the newest message, or from before a seq, page by page as it is read. */
  history(from: Omit<PageQuery, 'after_seq'> = {}): AsyncGenerator<MessageObject> {
    return backwards((page) => this.list(page), from);
  }

  /** Puts a page of earlier messages in front of `messages`; says whether there are more. */
  async loadEarlier(limit: number = LIMITS.pageDefault): Promise<boolean> {
    const { thread, position } = this.#log;
    const page = await this.list({ before_seq: thread.messages[0]?.seq ?? position + 1, limit });
    this.#settle(page.messages);
    thread.prepend(page.messages);
    this.#hasEarlier = page.has_more;
    this.changed();
    return page.has_more;
  }

  /**
   * Marks as read up to a seq; all that is here when left out. Resolves when the server knows. The promise may be left
   * alone: marks only grow, and the next one says the same.
   */
  markRead(seq: number = this.#log.position): Promise<void> {
    return mayBeLeftAlone(this.#marks.want({ read_seq: seq }));
  }

  /** Call it on each key press: throttled, repeated as needed, and ended 6 s after the last one. */
  setTyping(typing: boolean): void {
    this.#typing.set(typing);
  }

  /**
   * Shares where this person is: at most once a second, the last one wins. Not queued while offline. The promise may be
   * left alone: the next position makes good for it.
   */
  shareLocation(position: Position): Promise<void> {
    return mayBeLeftAlone(this.#sharing.share(position));
  }

  /** @internal One booking's part of an answered `sync`. Says whether another sync may bring more. */
  synced(entry: Result<'sync'>['bookings'][number]): boolean {
    if ('error' in entry) {
      const error = CurblineError.from(entry.error);
      // A passing fault takes nobody's seat.
      if (error.retryable) void this.catchUp();
      else this.#lost(error);
      return error.retryable;
    }
    const people = this.#people;
    people.update(entry);
    entry.receipts.forEach((receipt) => this.#received(receipt));
    entry.presence.forEach((someone) => people.present(someone));
    entry.locations.forEach((location) => people.located(location));
    this.#log.page(entry.messages, entry.last_seq);
    this.#mark();
    if (people.replaced(entry.presence)) this.#refresh();
    this.changed();
    return false;
  }

  /** @internal */
  heard<N extends EventName>(name: N, payload: EventPayload<N>): void {
    this.#handlers[name]?.(payload);
  }

  /** @internal */
  hear(message: MessageObject): void {
    this.#log.hear(message);
    this.changed();
  }

  /** @internal Where a catch-up starts. */
  get position(): number {
    return this.#log.position;
  }

  /** @internal */
  catchUp(): Promise<void> {
    return this.#log.read();
  }

  /** @internal There is no link: whoever types is told of when there is one again. */
  offline(): void {
    this.#typing.forget();
    this.#typists.forget();
  }

  /** @internal Something that a screen shows is different now. */
  changed(): void {
    this.#snapshot = undefined;
    this.#emitter.emit('change', undefined);
  }

  async #join({ after_seq, history = LIMITS.pageDefault }: JoinOptions): Promise<ConnectionObject> {
    const view = await this.#view();
    // A thread that is shown holds what an earlier life could not send.
    await this.#host.outbox.opened();
    const log = this.#log;
    const after = log.thread.position ?? after_seq;
    if (after === undefined) {
      const page = await this.list({ limit: history });
      this.#settle(page.messages);
      this.#hasEarlier = page.has_more;
      log.start(page.messages.at(-1)?.seq ?? view.from_seq - 1, page.messages);
    } else {
      if (log.thread.position === undefined) this.#hasEarlier = after >= view.from_seq;
      log.start(after, log.thread.messages);
    }
    log.page([], view.last_seq);
    this.#markDelivered();
    this.changed();
    return this.#people.view ?? view;
  }

  async #view(): Promise<ConnectionObject> {
    // Without the messages: they are read in pages that grow and shrink with the line.
    const view = await this.#host.connection.request('booking.join', { booking_id: this.id });
    this.#see(view);
    return view;
  }

  /** What the server tells live. Afterwards the app is told, with the state already changed. */
  readonly #handlers: { [N in EventName]?: (payload: EventPayload<N>) => void } = {
    'create-connection': (view) => {
      this.#see(view);
      if (this.#wanted && !this.joined) void this.join(this.#wanted);
      this.#emitter.emit('create-connection', view);
    },
    'message.created': ({ message }) => this.hear(message),
    'receipt.updated': (receipt) => {
      this.#received(receipt);
      this.changed();
      this.#emitter.emit('receipt.updated', receipt);
    },
    'typing.updated': (typing) => {
      if (!this.#people.isMe(typing)) this.#typists.heard(typing);
    },
    'presence.updated': (presence) => {
      this.#people.present(presence);
      if (!presence.online) this.#typists.ended(presence);
      this.changed();
      this.#emitter.emit('presence.updated', presence);
    },
    'location.updated': (location) => {
      this.#people.located(location);
      this.changed();
      this.#emitter.emit('location.updated', location);
    },
    'booking.updated': (update) => {
      this.#people.update(update);
      if (update.reason === 'unassigned') this.#log.following = false;
      else if (this.#wanted && !this.joined && update.chat !== 'closed') void this.join(this.#wanted);
      if (update.reason === 'reassigned') this.#refresh();
      this.changed();
      this.#emitter.emit('booking.updated', update);
    },
  };

  #applied(messages: readonly MessageObject[]): void {
    this.#settle(messages);
    for (const { sender } of messages) this.#typists.ended(sender);
    this.#snapshot = undefined;
    for (const message of messages) this.#emitter.emit('message.created', message);
    this.#markDelivered();
    this.changed();
  }

  /** An own message in the log is as good as the answer to it. */
  #settle(messages: readonly MessageObject[]): void {
    for (const message of messages) {
      if (!this.#people.isMe(message.sender)) continue;
      this.#shown.settled(message.client_id);
      // Who says something has read what came before.
      this.#marks.hear({ delivered_seq: message.seq, read_seq: message.seq });
      this.#host.outbox.settle({ message, duplicate: true });
    }
  }

  #markDelivered(): void {
    const last = [...this.#log.thread.messages].reverse().find(({ sender }) => !this.#people.isMe(sender));
    if (last) this.#mark({ delivered_seq: last.seq });
  }

  /** Not told, it is told with the next message or the next sync. */
  #mark(marks?: Partial<Receipts['own']>): void {
    void mayBeLeftAlone(this.#marks.want(marks));
  }

  #received(receipt: ReceiptObject): void {
    if (this.#people.isMe(receipt)) this.#marks.hear(receipt);
    else this.#people.received(receipt);
    this.#log.hint(receipt.delivered_seq);
  }

  #see(view: ConnectionObject): void {
    this.#people.see(view);
    this.#marks.hear(view);
    this.changed();
  }

  /** The other seat has changed hands: ask who it is now. */
  #refresh(): void {
    this.#view().catch((cause: unknown) => {
      const error = asCurblineError(cause, 'internal');
      // Closed until somebody takes over: `view` says so, and the next change of the seat asks again.
      if (error.code !== 'chat_closed') this.#emitter.emit('error', error);
    });
  }

  #lost(error: CurblineError): void {
    const { view } = this.#people;
    // A closed chat may be opened again; a seat that is gone has to be joined again.
    if (error.code !== 'chat_closed') this.#log.following = false;
    else if (view) this.#people.update({ ...view, chat: 'closed' });
    this.#emitter.emit('error', error);
    this.changed();
  }

  #show(): ChatMessage[] {
    const unsent = this.#host.outbox.of(this.id);
    return this.#shown.list(this.#log.thread, this.receipts, this.#people, unsent, this.#host.user());
  }
}
