/**
 * Names that cross the wire. Free of the schema library, so that a browser pays a few hundred bytes for them.
 * Source: the contract, sections 1 to 5.
 */

/** Where Socket.IO listens under the server's URL. */
export const SOCKET_PATH = '/socket.io/';

/** Who may hold a token. A `support` agent may connect; seats for support come with the console. */
export const SCOPES = ['driver', 'customer', 'support'] as const;
export type Scope = (typeof SCOPES)[number];

/** The two roles that a booking always has. */
export const PARTY_SCOPES = ['driver', 'customer'] as const;
export type PartyScope = (typeof PARTY_SCOPES)[number];

/** Scope of a message's sender: a person, or the server and host themselves. */
export type SenderScope = Scope | 'system';

/** The sender of every `system` message. */
export const HOST_SENDER = { user_id: 'host', scope: 'system' } as const;

/** What a message can be. `system` comes from the host only. */
export const MESSAGE_KINDS = ['text', 'canned', 'location', 'attachment', 'system'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What a reader may do in a chat now. */
export const CHAT_STATES = ['open', 'read_only', 'closed'] as const;
export type ChatState = (typeof CHAT_STATES)[number];

/** The founding tutorial's name of `booking.join`: the same command. */
export const TUTORIAL_JOIN = 'connection-established';

/** Every command a client may send, in the order of the contract. */
export const COMMAND_NAMES = [
  'connection-established',
  'booking.join',
  'message.send',
  'message.list',
  'receipt.mark',
  'typing.set',
  'location.share',
  'booking.list',
  'sync',
  'token.refresh',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** Every event the server may emit, in the order of the contract. */
export const EVENT_NAMES = [
  'create-connection',
  'message.created',
  'receipt.updated',
  'typing.updated',
  'presence.updated',
  'location.updated',
  'booking.updated',
  'token.expiring',
  'disconnected',
  'exception',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** Why the server closes a socket, told by `disconnected` just before. */
export const DISCONNECT_REASONS = ['token_expired', 'revoked', 'slow_consumer', 'shutting_down'] as const;
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];

/** Why a booking changed under a participant. */
export const BOOKING_CHANGE_REASONS = ['reassigned', 'unassigned'] as const;
export type BookingChangeReason = (typeof BOOKING_CHANGE_REASONS)[number];

/** What webhooks report (section 9). */
export const WEBHOOK_TYPES = [
  'message.created',
  'message.undelivered',
  'connection.created',
  'booking.updated',
  'receipt.updated',
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** A client that does not say what it is, or says it badly, has this type. */
export const UNKNOWN_CLIENT_TYPE = 'unknown';

/** A client type: a word such as `flutter`, `ios`, `web`. */
export const CLIENT_TYPE_PATTERN = /^[a-z0-9_.-]{1,32}$/;
