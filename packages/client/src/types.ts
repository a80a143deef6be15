import type {
  ConnectionObject,
  EventPayload,
  LocationObject,
  MessageKind,
  MessageObject,
  PayloadInput,
  PresenceObject,
  Scope,
  SenderScope,
} from '@curbline/contract';
import type { CurblineError } from './curbline-error.js';
import type { Identity } from './identity.js';
import type { OutboxStore } from './outbox-store.js';

/**
 * - `idle`: not asked to connect yet
 * - `connecting`: the first try is under way
 * - `online`
 * - `offline`: trying again by itself, or paused; messages are queued
 * - `closed`: closed by the app, or the server refused the person for good
 */
export type ConnectionState = 'idle' | 'connecting' | 'online' | 'offline' | 'closed';

/**
 * A token, or a function that is called for every (re)connect and before a token ends. When it throws, or gives what is no
 * token, it is called again after a pause.
 */
export type TokenSource = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** The server, e.g. `https://chat.example.com`. */
  url: string;
  token: TokenSource;
  /** What this client is: `web`, `ios`, `dispatch-desk` … (`[a-z0-9_.-]{1,32}`). */
  type?: string;
  /**
   * Where unsent messages are kept. `auto` (default): IndexedDB in browsers, memory elsewhere.
   * In Node: `fileOutbox(path)` of `@curbline/client/node`. In React Native: a store of your own over any durable storage.
   */
  outbox?: 'auto' | 'memory' | OutboxStore;
  /**
   * Who the token speaks for. Read from the JWT when left out; needed for tokens that are not JWTs, and useful with a
   * token function: queued messages are then shown, and new ones kept, before the first token arrives.
   */
  user?: Identity;
  /** Path of Socket.IO under the URL; default `/socket.io/`. */
  path?: string;
  /** Order of transports to try; default `['websocket', 'polling']`. */
  transports?: ('websocket' | 'polling')[];
  /** Milliseconds to wait for an answer, or for a connection to come up; default 10 000. */
  ackTimeoutMs?: number;
  /** Milliseconds between attempts to reconnect: first and longest; default 500 and 10 000, with jitter. */
  reconnectMs?: { min?: number; max?: number };
  /** Milliseconds between checks that no live event was lost while the link stayed up; default 60 000, 0 for none. */
  checkEveryMs?: number;
}

/** What can be sent: a text, a key of the catalogue, or a pin. */
export type Content =
  | { text: string }
  | { canned: string; params?: Record<string, number | string> }
  | { location: { lat: number; lng: number; label?: string } };

/** Ticks: `queued` (clock) → `stored` (one tick) → `delivered` (two ticks) → `read`; or `failed`. */
export type MessageState = 'queued' | 'stored' | 'delivered' | 'read' | 'failed';

/** One message as a chat screen shows it. A changed message is a new object. */
export interface ChatMessage {
  readonly booking_id: string;
  readonly client_id: string;
  /** Absent while it is only here. */
  readonly id?: string;
  /** Position in the booking's log; absent while it is only here. */
  readonly seq?: number;
  readonly sender: { readonly user_id: string; readonly scope: SenderScope };
  readonly kind: MessageKind;
  readonly body: MessageObject['body'];
  /** ISO 8601; the server's time once stored, this device's before. */
  readonly created_at: string;
  readonly mine: boolean;
  /** Own messages: what the other party has. Others' messages: what this person has marked. */
  readonly state: MessageState;
  /** Why it failed. */
  readonly error?: CurblineError;
}

/** What `send` resolves with. */
export interface Sent {
  message: MessageObject;
  /** Whether an earlier try had already been stored. */
  duplicate: boolean;
}

/** A page of history: `PayloadInput<'message.list'>` without the booking. */
export interface PageQuery {
  before_seq?: number;
  after_seq?: number;
  /** 1 to 200; default 50. */
  limit?: number;
}

export interface JoinOptions {
  /**
   * The last seq this app has kept itself. Everything after it is told by `message.created`.
   * Left out: the newest page is put into `messages`, and `message.created` tells what comes after it.
   */
  after_seq?: number;
  /** Size of that newest page, 1 to 200; default 50. */
  history?: number;
}

/** How far each side is. */
export interface Receipts {
  readonly own: { readonly delivered_seq: number; readonly read_seq: number };
  readonly counterpart: { readonly delivered_seq: number; readonly read_seq: number };
}

/** A place to share: degrees, metres per second, metres. */
export type Position = Omit<PayloadInput<'location.share'>, 'booking_id'>;

/** Someone who is typing. */
export interface Typist {
  readonly user_id: string;
  readonly scope: Scope;
}

/** What a booking tells. */
export interface BookingEvents {
  /** Once for each message after the position of `join`, in order of `seq`, without a gap; own messages included. */
  'message.created': MessageObject;
  /** Anything a screen may show has changed: read the properties again. */
  change: undefined;
  'receipt.updated': EventPayload<'receipt.updated'>;
  'typing.updated': readonly Typist[];
  'presence.updated': PresenceObject;
  'location.updated': LocationObject;
  'booking.updated': EventPayload<'booking.updated'>;
  'create-connection': ConnectionObject;
  /** Catch-up of this booking failed for good, e.g. the seat is gone. */
  error: CurblineError;
}

/** What a client tells. Events of the server arrive as they are; for messages in order listen on the booking. */
export type ChatEvents = {
  state: ConnectionState;
  error: CurblineError;
} & { [N in keyof ServerEvents]: ServerEvents[N] };

type ServerEvents = {
  'create-connection': EventPayload<'create-connection'>;
  'message.created': EventPayload<'message.created'>;
  'receipt.updated': EventPayload<'receipt.updated'>;
  'typing.updated': EventPayload<'typing.updated'>;
  'presence.updated': EventPayload<'presence.updated'>;
  'location.updated': EventPayload<'location.updated'>;
  'booking.updated': EventPayload<'booking.updated'>;
  'token.expiring': EventPayload<'token.expiring'>;
  disconnected: EventPayload<'disconnected'>;
};
