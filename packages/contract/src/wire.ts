/**
 * The part of the contract without the schema library: names, errors, limits, catalogue.
 * Browser code imports values from here and types from the main entry.
 */
export {
  BOOKING_CHANGE_REASONS,
  CHAT_STATES,
  CLIENT_TYPE_PATTERN,
  COMMAND_NAMES,
  DISCONNECT_REASONS,
  EVENT_NAMES,
  HOST_SENDER,
  MESSAGE_KINDS,
  PARTY_SCOPES,
  SCOPES,
  SOCKET_PATH,
  TUTORIAL_JOIN,
  UNKNOWN_CLIENT_TYPE,
  WEBHOOK_TYPES,
} from './names.js';
export type {
  BookingChangeReason,
  ChatState,
  CommandName,
  DisconnectReason,
  EventName,
  MessageKind,
  PartyScope,
  Scope,
  SenderScope,
  WebhookType,
} from './names.js';
export { ERROR_CODES, ERRORS } from './errors.js';
export type { Answer, ChatClosedDetails, ErrorCode, ErrorObject, InvalidDetail } from './errors.js';
export { LIMITS } from './limits.js';
export { DEFAULT_CANNED } from './canned.js';
export type { CannedCatalogue, CannedEntry, CannedParam } from './canned.js';
