/**
 * The Curbline SDK for browsers, Node and React Native.
 *
 * @packageDocumentation
 */
export { createClient } from './chat-client.js';
export type { ChatClient } from './chat-client.js';
export type { Booking } from './booking.js';
export { CurblineError } from './curbline-error.js';
export type { CurblineErrorCode } from './curbline-error.js';
export { indexedDbOutbox } from './indexeddb-outbox.js';
export { memoryOutbox } from './outbox-store.js';
export type { OutboxEntry, OutboxStore } from './outbox-store.js';
export type { Identity } from './identity.js';
export type { Unsubscribe } from './emitter.js';
export type {
  BookingEvents,
  ChatEvents,
  ChatMessage,
  ClientOptions,
  ConnectionState,
  Content,
  JoinOptions,
  MessageState,
  PageQuery,
  Position,
  Receipts,
  Sent,
  TokenSource,
  Typist,
} from './types.js';
export type {
  ConnectionObject,
  LocationObject,
  MessageObject,
  PresenceObject,
  UserDetailObject,
} from '@curbline/contract';
export { DEFAULT_CANNED, LIMITS } from '@curbline/contract/wire';
export type { CannedCatalogue, CannedEntry, CannedParam } from '@curbline/contract/wire';
