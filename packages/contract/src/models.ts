/** Schemas and types of what travels inside commands, events and routes. */
import type { z } from 'zod';
import type {
  Booking,
  ConnectionView,
  LocationView,
  Message,
  Participant,
  Person,
  PresenceView,
  ReceiptView,
  UserDetail,
} from './model.js';

export {
  Booking,
  CannedBody,
  ConnectionView,
  LocationBody,
  LocationView,
  Message,
  Metadata,
  Participant,
  Person,
  PresenceView,
  ReceiptView,
  Sender,
  TextBody,
  UserDetail,
} from './model.js';
export {
  ClientId,
  Id,
  Latitude,
  Longitude,
  MessageText,
  ScopeSchema,
  Seq,
  SeqBound,
  Time,
} from './primitives.js';

/** One entry of a booking's log. */
export type MessageObject = z.output<typeof Message>;
/** The object of `create-connection`. */
export type ConnectionObject = z.output<typeof ConnectionView>;
/** The public fields of a person, as the other party sees them. */
export type UserDetailObject = z.output<typeof UserDetail>;
/** A driver or customer as the host writes them. */
export type PersonInput = z.output<typeof Person>;
/** A booking as REST answers it. */
export type BookingView = z.output<typeof Booking>;
/** A seat as REST answers it. */
export type ParticipantView = z.output<typeof Participant>;
/** Receipts of one participant. */
export type ReceiptObject = z.output<typeof ReceiptView>;
/** Presence of one participant. */
export type PresenceObject = z.output<typeof PresenceView>;
/** Last known position of one participant. */
export type LocationObject = z.output<typeof LocationView>;
