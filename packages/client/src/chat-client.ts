import type { EventName, EventPayload, PayloadInput, Result } from '@curbline/contract';
import { LIMITS } from '@curbline/contract/wire';
import { Booking } from './booking.js';
import { Connection } from './connection.js';
import { boundSize, commandOf } from './content.js';
import { asCurblineError, CurblineError, isLinkLost } from './curbline-error.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { newClientId, type Identity } from './identity.js';
import { indexedDbOutbox } from './indexeddb-outbox.js';
import { mayBeLeftAlone } from './left-alone.js';
import type { OpenSocket } from './link.js';
import { Outbox } from './outbox.js';
import { memoryOutbox, type OutboxStore } from './outbox-store.js';
import { jittered, pause } from './pause.js';
import { openSocket } from './wire-socket.js';
import type { ChatEvents, ClientOptions, ConnectionState, Content, Sent } from './types.js';

const PATIENCE_MS = 2_000;
const AGAIN_MS = 5_000;

/** One person's link to the server, over any number of sockets in its life. Made by `createClient`. */
export class ChatClient {
  readonly #emitter = new Emitter<ChatEvents>();
  readonly #bookings = new Map<string, Booking>();
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #options: ClientOptions;
  #user: Identity | undefined;
  #checking: ReturnType<typeof setTimeout> | undefined;
  #unwatch: Unsubscribe | undefined;
  #opened = false;
  #syncLost = false;
  #links = 0;

  /** @internal */
  constructor(options: ClientOptions, open: OpenSocket = openSocket) {
    this.#options = options;
    this.#outbox = new Outbox(storeOf(options.outbox), {
      send: async ({ booking_id, client_id, kind, body }) => {
        boundSize(body);
        const payload = { booking_id, client_id, kind, body } as PayloadInput<'message.send'>;
        return this.#connection.ask('message.send', payload);
      },
      stored: ({ message }) => this.#bookings.get(message.booking_id)?.hear(message),
      changed: (bookingId) => this.#bookings.get(bookingId)?.changed(),
      error: (error) => this.#emitter.emit('error', error),
    });
    this.#connection = new Connection(options, open, {
      state: (state) => this.#stateChanged(state),
      error: (error) => this.#emitter.emit('error', error),
      identity: (identity) => this.#identified(identity),
      up: () => void this.#resume(),
      event: (name, payload) => this.#heard(name, payload),
    });
    if (options.user) this.#identified(options.user);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Who this client speaks for; known with the first token. */
  get user(): Identity | undefined {
    return this.#user;
  }

  /** Listens; the returned function takes the listener off again. */
  on<N extends keyof ChatEvents>(name: N, listener: (payload: ChatEvents[N]) => void): Unsubscribe {
    return this.#emitter.on(name, listener);
  }

  /**
   * Connects, and from then on stays connected: resolves when online, rejects when the server refuses this person for
   * good. While the network is away it keeps trying; listen to `state` and `error`, which tell the same when the promise is
   * left alone.
   */
  connect(): Promise<void> {
    if (this.#user) this.#openOutbox();
    return mayBeLeftAlone(this.#connection.start());
  }

  /** Drops the link and stays offline until `connect`: messages are queued. For apps that go to the background. */
  pause(): void {
    this.#connection.pause();
  }

  /** Ends the client. Unsent messages stay in the outbox for the next one. `connect` starts it again. */
  async close(): Promise<void> {
    this.#connection.stop();
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#opened = false;
    await this.#outbox.close();
  }

  /** The chat of a booking; the same object for the same id. Asks nothing yet: `join` does. */
  booking(bookingId: string): Booking {
    let booking = this.#bookings.get(bookingId);
    if (!booking) {
      booking = new Booking(bookingId, {
        connection: this.#connection,
        outbox: this.#outbox,
        send: (id, content) => this.#send(id, content),
        user: () => this.#user,
      });
      this.#bookings.set(bookingId, booking);
    }
    return booking;
  }

  /** This person's bookings with the other party, the last message and the number of unread ones. */
  bookings(query: PayloadInput<'booking.list'> = {}): Promise<Result<'booking.list'>> {
    return this.#connection.request('booking.list', query);
  }

  #send(booking_id: string, content: Content): Promise<Sent> {
    try {
      if (this.state === 'closed') throw new CurblineError('closed', 'The client is closed.');
      const made = { booking_id, client_id: newClientId(), created_at: new Date().toISOString() };
      const sent = this.#outbox.add({ ...made, ...commandOf(content) });
      if (this.state === 'idle') this.#connection.start().catch(() => undefined);
      return sent;
    } catch (cause) {
      return mayBeLeftAlone(Promise.reject(asCurblineError(cause, 'invalid')));
    }
  }

  #identified(user: Identity): void {
    this.#user = user;
    this.#openOutbox();
  }

  #openOutbox(): void {
    if (this.#opened || !this.#user) return;
    this.#opened = true;
    this.#outbox.open(`${this.#options.url}|${this.#user.scope}|${this.#user.user_id}`);
  }

  #stateChanged(state: ConnectionState): void {
    this.#watch();
    if (state !== 'online') {
      clearTimeout(this.#checking);
      this.#outbox.suspend();
      for (const booking of this.#bookings.values()) booking.offline();
    }
    this.#emitter.emit('state', state);
    for (const booking of this.#bookings.values()) booking.changed();
  }

  #heard<N extends EventName>(name: N, payload: EventPayload<N>): void {
    const { booking_id, booking } = payload as { booking_id?: string; booking?: string };
    this.#bookings.get(booking_id ?? booking ?? '')?.heard(name, payload);
    if (name !== 'exception') this.#emitter.emit(name as never, payload as never);
  }

  /** First what was missed, then what is unsent; but on a bad line reading does not hold up sending for long. */
  async #resume(): Promise<void> {
    const link = (this.#links += 1);
    await Promise.race([this.#sync(), pause(PATIENCE_MS)]);
    if (this.state === 'online' && link === this.#links) this.#outbox.resume();
  }

  /** Brings all joined bookings up to date, and looks again after a while: a live event may get lost on its way. */
  async #sync(): Promise<void> {
    clearTimeout(this.#checking);
    let failed = false;
    const joined = [...this.#bookings.values()].filter((booking) => booking.joined);
    for (let start = 0; start < joined.length; start += LIMITS.syncBookingsMax) {
      const part = joined.slice(start, start + LIMITS.syncBookingsMax);
      try {
        // The answer to a sync can be large. Where it did not get through, the logs are read in pages first.
        if (this.#syncLost) await Promise.all(part.map((booking) => booking.catchUp()));
        this.#syncLost = true;
        const bookings = part.map((booking) => ({ booking_id: booking.id, after_seq: booking.position }));
        const answer = await this.#connection.ask('sync', { bookings });
        this.#syncLost = false;
        for (const entry of answer.bookings) {
          if (this.#bookings.get(entry.booking_id)?.synced(entry)) failed = true;
        }
      } catch (cause) {
        // The next link starts over.
        if (isLinkLost(asCurblineError(cause, 'internal'))) return;
        this.#syncLost = false;
        failed = true;
        for (const booking of part) void booking.catchUp();
      }
    }
    // The logs are read by themselves by now; receipts, presence and positions come with a sync only.
    const everyMs = failed ? AGAIN_MS : (this.#options.checkEveryMs ?? 60_000);
    clearTimeout(this.#checking);
    if (everyMs > 0) this.#checking = setTimeout(() => void this.#sync(), jittered(everyMs));
  }

  /** Browsers say when the network or the reader is back; elsewhere there is nothing to listen to. */
  #watch(): void {
    if (this.#unwatch || typeof globalThis.addEventListener !== 'function') return;
    const nudge = (): void => {
      if (globalThis.document?.visibilityState !== 'hidden') this.#connection.nudge();
    };
    const { document } = globalThis as { document?: Document };
    globalThis.addEventListener('online', nudge);
    document?.addEventListener('visibilitychange', nudge);
    this.#unwatch = () => {
      globalThis.removeEventListener('online', nudge);
      document?.removeEventListener('visibilitychange', nudge);
    };
  }
}

const storeOf = (outbox: ClientOptions['outbox'] = 'auto'): OutboxStore => {
  if (typeof outbox === 'object') return outbox;
  return outbox === 'auto' && typeof indexedDB === 'object' ? indexedDbOutbox() : memoryOutbox();
};

/**
 * Makes a client. It connects with `connect`, or when the first booking is joined.
 *
 * @example
 * const token = async () => {
 *   const answer = await fetch('/chat-token');
 *   if (!answer.ok) throw new Error(`no token: ${answer.status}`);
 *   return answer.text();
 * };
 * const chat = createClient({ url: 'http://127.0.0.1:5000', token });
 * const booking = chat.booking('BK-7F3K9');
 * booking.on('message.created', (message) => console.log(message.seq, message.body));
 * await booking.join();
 * await booking.send({ text: 'At gate 3' });
 */
export const createClient = (options: ClientOptions): ChatClient => new ChatClient(options);
