import { z } from 'zod';
import { LIMITS } from './limits.js';
import { COMMAND_NAMES, type CommandName } from './names.js';
import {
  CannedBody,
  ChatStateSchema,
  ConnectionView,
  LocationBody,
  LocationView,
  Message,
  Position,
  PresenceView,
  ReceiptView,
  TextBody,
  UserDetail,
} from './model.js';
import { ClientId, Cursor, Id, PageLimit, SeqAsked, SeqBound, Time } from './primitives.js';

const booking = { booking_id: Id };

const JoinBooking = z.strictObject({ ...booking, after_seq: SeqAsked.optional() });
const JoinedBooking = ConnectionView.extend({
  messages: z.array(Message).optional(),
  has_more: z.boolean().optional(),
});

const sending = { ...booking, client_id: ClientId };
/** What a client may send; `system` comes from the host only. */
export const SendMessage = z.discriminatedUnion('kind', [
  z.strictObject({ ...sending, kind: z.literal('text'), body: TextBody }),
  z.strictObject({ ...sending, kind: z.literal('canned'), body: CannedBody }),
  z.strictObject({ ...sending, kind: z.literal('location'), body: LocationBody }),
]);
const SentMessage = z.object({ message: Message, duplicate: z.boolean() });

/** Both bounds at once are refused; without one the newest page is answered. */
const ListMessages = z
  .strictObject({
    ...booking,
    before_seq: SeqAsked.optional(),
    after_seq: SeqAsked.optional(),
    limit: PageLimit,
  })
  .refine((page) => page.before_seq === undefined || page.after_seq === undefined, {
    message: 'before_seq and after_seq exclude each other',
    path: ['before_seq'],
  });
export const MessagePage = z.object({
  messages: z.array(Message),
  last_seq: SeqBound,
  has_more: z.boolean(),
});

const MarkReceipt = z
  .strictObject({ ...booking, delivered_seq: SeqAsked.optional(), read_seq: SeqAsked.optional() })
  .refine((mark) => mark.delivered_seq !== undefined || mark.read_seq !== undefined, {
    message: 'delivered_seq or read_seq is required',
    path: ['read_seq'],
  });

const BookingEntry = z.object({
  ...booking,
  status: z.string(),
  chat: ChatStateSchema,
  counterpart: UserDetail.extend({ online: z.boolean() }),
  last_message: Message.nullable(),
  unread: z.int().min(0),
});

const SyncEntry = z.union([
  MessagePage.extend({
    ...booking,
    status: z.string(),
    chat: ChatStateSchema,
    closes_at: Time.optional(),
    receipts: z.array(ReceiptView),
    presence: z.array(PresenceView),
    locations: z.array(LocationView),
  }),
  z.object({
    ...booking,
    error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }).loose(),
  }),
]);

const SyncPosition = z.strictObject({ ...booking, after_seq: SeqAsked });
const SyncPositions = z.array(SyncPosition).max(LIMITS.syncBookingsMax);
/** Counted before anything in it is looked at: twenty thousand wrong entries would be forty thousand issues. */
const FewSyncPositions = z.preprocess((positions: z.input<typeof SyncPosition>[], context) => {
  if (!Array.isArray(positions) || positions.length <= LIMITS.syncBookingsMax) return positions;
  context.addIssue(`at most ${LIMITS.syncBookingsMax} bookings are expected`);
  return z.NEVER;
}, SyncPositions);

const join = { payload: JoinBooking, result: JoinedBooking };

/** What a client may ask. Each command gets exactly one answer. */
export const commands = {
  'connection-established': join,
  'booking.join': join,
  'message.send': { payload: SendMessage, result: SentMessage },
  'message.list': { payload: ListMessages, result: MessagePage },
  'receipt.mark': {
    payload: MarkReceipt,
    result: z.object({ delivered_seq: SeqBound, read_seq: SeqBound }),
  },
  'typing.set': { payload: z.strictObject({ ...booking, typing: z.boolean() }), result: z.object({}) },
  'location.share': { payload: z.strictObject({ ...booking, ...Position }), result: z.object({}) },
  'booking.list': {
    payload: z.strictObject({
      open_only: z.boolean().default(false),
      cursor: Cursor.optional(),
      limit: PageLimit,
    }),
    result: z.object({ bookings: z.array(BookingEntry), next_cursor: z.string().nullable() }),
  },
  sync: {
    payload: z.strictObject({ bookings: FewSyncPositions }),
    result: z.object({ bookings: z.array(SyncEntry) }),
  },
  'token.refresh': {
    payload: z.strictObject({ token: z.string().min(1).max(8_192) }),
    result: z.object({ expires_at: Time }),
  },
} as const satisfies Record<CommandName, { payload: z.ZodType; result: z.ZodType }>;

/** Whether a word is a command of the contract. */
export const isCommandName = (name: unknown): name is CommandName =>
  typeof name === 'string' && (COMMAND_NAMES as readonly string[]).includes(name);

/** What a handler receives: parsed, normalised, defaults filled in. */
export type Payload<N extends CommandName> = z.output<(typeof commands)[N]['payload']>;
/** What a client writes: defaults may be left out. */
export type PayloadInput<N extends CommandName> = z.input<(typeof commands)[N]['payload']>;
/** `data` of the answer. */
export type Result<N extends CommandName> = z.output<(typeof commands)[N]['result']>;
