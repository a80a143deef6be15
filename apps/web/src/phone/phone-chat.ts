import { createClient, CurblineError, type Booking, type ChatClient, type Content } from '@curbline/client';
import type { MessageObject } from '@curbline/client';
import type { PhoneActions, SharedPlace } from './phone-actions.js';
import type { LinkState, PhoneView } from './phone-view.js';

/** How long words lie before somebody's eyes until they count as read. */
const READ_AFTER_MS = 1_200;
const JOIN_AGAIN_MS = 2_000;

export interface PhoneChatOptions {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly bookingId: string;
}

/** One phone: a client of the SDK with its own socket, and the view made from what it tells. */
export class PhoneChat implements PhoneActions {
  readonly #client: ChatClient;
  readonly #booking: Booking;
  readonly #listeners = new Set<() => void>();
  readonly #newsListeners = new Set<(message: MessageObject) => void>();
  #off: readonly (() => void)[] = [];
  #view: PhoneView | undefined;
  #handed: readonly string[] = [];
  #joinError: CurblineError | undefined;
  #networkOn = true;
  #looking = false;
  #closed = true;
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #joinTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ url, token, bookingId }: PhoneChatOptions) {
    this.#client = createClient({ url, token, type: 'web' });
    this.#booking = this.#client.booking(bookingId);
  }

  /** Joins, and listens until `close`. */
  open(): void {
    this.#closed = false;
    this.#off = [
      this.#client.on('state', () => this.#changed()),
      this.#booking.on('change', () => this.#changed()),
      this.#booking.on('message.created', (message) => this.#told(message)),
    ];
    this.#ignored(this.#client.connect());
    this.#join();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): PhoneView => (this.#view ??= this.#look());

  /** Tells of each message of the other side that arrives from now on. */
  onNews(listener: (message: MessageObject) => void): () => void {
    this.#newsListeners.add(listener);
    return () => this.#newsListeners.delete(listener);
  }

  sendText = (text: string): void => this.#send({ text });

  sendCanned = (key: string, params?: Readonly<Record<string, number>>): void =>
    this.#send({ canned: key, ...(params !== undefined && { params }) });

  sendLocation = (place: SharedPlace): void => this.#send({ location: place });

  setTyping = (typing: boolean): void => this.#booking.setTyping(typing);

  setLooking = (looking: boolean): void => {
    this.#looking = looking;
    this.#readSoon();
  };

  setNetwork = (on: boolean): void => {
    this.#networkOn = on;
    if (on) this.#ignored(this.#client.connect());
    else this.#client.pause();
    this.#changed();
  };

  retry = (clientId: string): void => this.#ignored(this.#booking.retry(clientId));

  loadOlder = (): void => this.#ignored(this.#booking.loadEarlier());

  close(): void {
    this.#closed = true;
    clearTimeout(this.#readTimer);
    clearTimeout(this.#joinTimer);
    for (const off of this.#off) off();
    this.#ignored(this.#client.close());
  }

  #join(): void {
    this.#booking.join().then(
      () => this.#joined(undefined),
      (error: unknown) => this.#joined(error instanceof CurblineError ? error : undefined),
    );
  }

  #joined(error: CurblineError | undefined): void {
    if (this.#closed) return;
    this.#joinError = error?.retryable === true ? undefined : error;
    if (error?.retryable === true) this.#joinTimer = setTimeout(() => this.#join(), JOIN_AGAIN_MS);
    this.#changed();
  }

  #told(message: MessageObject): void {
    if (message.sender.user_id === this.#client.user?.user_id) return;
    this.#handed = [...this.#handed, message.client_id];
    for (const listener of this.#newsListeners) listener(message);
    this.#changed();
  }

  #send(content: Content): void {
    this.#ignored(this.#booking.send(content));
  }

  /** What became of it is told by `messages` and `state`, which the view shows. */
  #ignored(work: Promise<unknown>): void {
    work.catch(() => this.#changed());
  }

  #changed(): void {
    if (this.#closed) return;
    this.#view = undefined;
    this.#readSoon();
    for (const listener of this.#listeners) listener();
  }

  /** Marks as read what has lain open for a while; a glance away starts the while anew. */
  #readSoon(): void {
    const readable = this.#looking && this.#client.state === 'online' && this.#booking.unread > 0;
    if (!readable) {
      clearTimeout(this.#readTimer);
      this.#readTimer = undefined;
    } else if (this.#readTimer === undefined) {
      this.#readTimer = setTimeout(() => {
        this.#readTimer = undefined;
        this.#ignored(this.#booking.markRead());
      }, READ_AFTER_MS);
    }
  }

  #look(): PhoneView {
    const { view: joined, messages, presence, typing, hasEarlier, unread } = this.#booking;
    const seen = presence.find(({ user_id }) => user_id === joined?.user_detail._id);
    return {
      link: this.#link(),
      ...(joined !== undefined && {
        peer: {
          detail: joined.user_detail,
          online: seen?.online ?? false,
          ...(seen?.last_seen_at !== undefined && { lastSeenAt: new Date(seen.last_seen_at) }),
        },
        booking: {
          status: joined.status,
          chat: joined.chat,
          ...(joined.closes_at !== undefined && { closesAt: new Date(joined.closes_at) }),
        },
      }),
      ...(this.#joinError !== undefined && { joinError: this.#joinError.code }),
      messages,
      hasOlder: hasEarlier,
      peerTyping: typing.length > 0,
      waiting: messages.filter(({ mine, state }) => mine && state === 'queued').length,
      unread,
      handed: this.#handed,
    };
  }

  #link(): LinkState {
    const { state } = this.#client;
    if (state === 'closed') return 'refused';
    if (!this.#networkOn) return 'off';
    if (state === 'online') return 'online';
    return state === 'offline' ? 'retrying' : 'connecting';
  }
}
