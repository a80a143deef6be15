import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from './errors.js';
import { BOOKING_CHANGE_REASONS, DISCONNECT_REASONS, type EventName } from './names.js';
import {
  ChatStateSchema,
  ConnectionView,
  LocationView,
  Message,
  PresenceView,
  ReceiptView,
} from './model.js';
import { Id, ScopeSchema, Time } from './primitives.js';

const booking = { booking_id: Id };

/** Section 3: the error of a failed command or route. */
export const ErrorObjectSchema = z.object({
  code: z.enum(ERROR_CODES as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  retryable: z.boolean(),
  retry_after_ms: z.int().min(0).optional(),
  details: z.unknown().optional(),
  request_id: z.string(),
});

/** What the server tells. Every event is `[name, one object]`; clients ignore fields they do not know. */
export const events = {
  'create-connection': ConnectionView,
  'message.created': z.object({ ...booking, message: Message }),
  'receipt.updated': ReceiptView.extend({ ...booking, at: Time }),
  'typing.updated': z.object({ ...booking, user_id: Id, scope: ScopeSchema, typing: z.boolean() }),
  'presence.updated': PresenceView.extend(booking),
  'location.updated': LocationView.extend(booking),
  'booking.updated': z.object({
    ...booking,
    status: z.string(),
    chat: ChatStateSchema,
    closes_at: Time.optional(),
    reason: z.enum(BOOKING_CHANGE_REASONS).optional(),
  }),
  'token.expiring': z.object({ expires_at: Time }),
  disconnected: z.object({
    reason: z.enum(DISCONNECT_REASONS),
    message: z.literal('Socket disconnected'),
    retry_after_ms: z.int().min(0).optional(),
  }),
  exception: z.object({ command: z.string(), error: ErrorObjectSchema }),
} as const satisfies Record<EventName, z.ZodType>;

/** The one object of an event. */
export type EventPayload<N extends EventName> = z.output<(typeof events)[N]>;
