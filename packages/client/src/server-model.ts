import type { CommandName, MessageObject, PayloadInput } from '@curbline/contract';
import type { RawSocket } from './link.js';
import type { OutboxEntry, OutboxStore } from './outbox-store.js';

/**
 * For the property tests beside it, never published: the log of one booking as the contract describes it, and sockets
 * whose packets wait until the test lets them pass, drops them, repeats them or swaps them.
 */
interface Packet {
  event?: string;
  payload?: unknown;
  answer?: (answer: unknown) => void;
  asked?: { command: CommandName; payload: unknown };
}

const PAGE = 3;
const TIME = '2026-01-01T00:00:00.000Z';

export class ModelSocket implements RawSocket {
  toServer: Packet[] = [];
  toClient: Packet[] = [];
  open = false;
  readonly user: string;
  readonly #world: ModelServer;
  readonly #listeners = new Map<string, (payload: never) => void>();

  constructor(world: ModelServer, user: string) {
    this.#world = world;
    this.user = user;
  }

  on(event: string, listener: (payload: never) => void): void {
    this.#listeners.set(event, listener);
  }

  connect(): void {
    this.open = true;
    this.#world.sockets.push(this);
    this.toClient.push({ event: 'connect' });
  }

  disconnect(): void {
    this.open = false;
    this.#world.sockets = this.#world.sockets.filter((socket) => socket !== this);
  }

  emit(command: string, payload: unknown, answer: (answer: never) => void): void {
    const asked = { command: command as CommandName, payload: structuredClone(payload) };
    this.toServer.push({ asked, answer: answer as (answer: unknown) => void });
  }

  /** The next request reaches the server; its answer starts on the way back. */
  serve(): void {
    const packet = this.toServer.shift();
    if (!packet?.asked) return;
    const { command, payload } = packet.asked;
    const answer = this.#world.handle(this, command, payload as never);
    this.toClient.push({ payload: structuredClone(answer), ...(packet.answer && { answer: packet.answer }) });
  }

  /** The next packet reaches the client. */
  deliver(): void {
    const packet = this.toClient.shift();
    if (packet?.answer) packet.answer(packet.payload);
    else if (packet?.event) this.#listeners.get(packet.event)?.(structuredClone(packet.payload) as never);
  }

  /** The line breaks: what was on the way, in either direction, is gone. */
  cut(): void {
    if (!this.open) return;
    this.toServer = [];
    this.toClient = [];
    this.disconnect();
    this.#listeners.get('disconnect')?.('transport close' as never);
  }
}

export class ModelServer {
  log: MessageObject[] = [];
  sockets: ModelSocket[] = [];
  /** Answers to the next sends instead of storing them. */
  refusals: { code: string; retryable: boolean }[] = [];
  /** Answers to the next syncs: a passing fault in the whole of it, or in the booking's entry alone. */
  failedSyncs: ('whole' | 'entry')[] = [];
  /** Live events that will never arrive. */
  lostEvents = 0;

  socket(user: string): ModelSocket {
    return new ModelSocket(this, user);
  }

  append(user: string, message: Pick<MessageObject, 'client_id' | 'kind' | 'body'>, from?: ModelSocket) {
    const known = this.log.find(
      (each) => each.sender.user_id === user && each.client_id === message.client_id,
    );
    if (known) return { message: known, duplicate: true };
    const seq = this.log.length + 1;
    const sender = { user_id: user, scope: user === 'me' ? 'customer' : 'driver' } as const;
    const { client_id, kind, body } = message;
    const stored = { id: `m${seq}`, booking_id: 'B', seq, sender, client_id, kind, body, created_at: TIME };
    this.log.push(stored);
    if (this.lostEvents > 0) this.lostEvents -= 1;
    else {
      for (const socket of this.sockets) {
        if (socket === from) continue;
        socket.toClient.push({ event: 'message.created', payload: { booking_id: 'B', message: stored } });
      }
    }
    return { message: stored, duplicate: false };
  }

  handle(socket: ModelSocket, command: CommandName, payload: never): unknown {
    if (command === 'message.send') {
      const refusal = this.refusals.shift();
      if (refusal) return { error: { ...refusal, message: refusal.code, request_id: 'r' } };
      return { data: this.append(socket.user, payload, socket) };
    }
    if (command === 'sync') {
      const { bookings } = payload as PayloadInput<'sync'>;
      const failed = this.failedSyncs.shift();
      const error = { code: 'unavailable', message: 'unavailable', retryable: true, request_id: 'r' };
      if (failed === 'whole') return { error };
      if (failed === 'entry')
        return { data: { bookings: bookings.map(({ booking_id }) => ({ booking_id, error })) } };
      const state = { status: 'accepted', chat: 'open', receipts: [], presence: [], locations: [] };
      return {
        data: {
          bookings: bookings.map((entry) => ({ ...entry, ...state, ...this.#after(entry.after_seq) })),
        },
      };
    }
    if (command === 'message.list') {
      const { after_seq, before_seq } = payload as PayloadInput<'message.list'>;
      if (after_seq !== undefined) return { data: this.#after(after_seq) };
      const before = this.log.filter(({ seq }) => seq < (before_seq ?? Infinity));
      const page = {
        messages: before.slice(-PAGE),
        has_more: before.length > PAGE,
        last_seq: this.log.length,
      };
      return { data: page };
    }
    if (command === 'booking.join') {
      const { after_seq } = payload as PayloadInput<'booking.join'>;
      const none = { delivered_seq: 0, read_seq: 0 };
      const view = {
        response: 'c',
        user_detail: { _id: 'other', scope: 'driver', name: 'Other' },
        booking: 'B',
        status: 'accepted',
        chat: 'open',
        from_seq: 1,
        last_seq: this.log.length,
        ...none,
        counterpart: { ...none, online: true },
      };
      return {
        data: { ...view, ...(after_seq !== undefined && this.#after(after_seq)), last_seq: view.last_seq },
      };
    }
    if (command === 'receipt.mark')
      return { data: { delivered_seq: 0, read_seq: 0, ...(payload as object) } };
    return { data: {} };
  }

  #after(seq: number) {
    const later = this.log.filter((message) => message.seq > seq);
    return { messages: later.slice(0, PAGE), has_more: later.length > PAGE, last_seq: this.log.length };
  }
}

/** A disk: what was not on it when the process died is gone. */
export class ModelDisk {
  entries = new Map<string, OutboxEntry>();

  /** A store of one process's life; `delayMs` is how long the disk takes. */
  store(delayMs: number): OutboxStore & { die(): void } {
    let alive = true;
    let last: Promise<void> = Promise.resolve();
    // In the order of the calls, as the interface asks.
    const inTurn = <T>(work: () => T): Promise<T> => {
      const done = last.then(
        () => new Promise<T>((resolve) => void setTimeout(() => alive && resolve(work()), delayMs)),
      );
      last = done.then(() => undefined);
      return done;
    };
    return {
      load: (owner) => inTurn(() => [...this.entries.values()].filter((entry) => entry.owner === owner)),
      put: (entry) => inTurn(() => void this.entries.set(entry.client_id, structuredClone(entry))),
      remove: (clientId) => inTurn(() => void this.entries.delete(clientId)),
      die: () => {
        alive = false;
      },
    };
  }
}
