import { z } from 'zod';
import { LIMITS } from './limits.js';
import { CHAT_STATES, MESSAGE_KINDS } from './names.js';
import {
  ClientId,
  Id,
  Label,
  Latitude,
  Longitude,
  MessageText,
  ScopeSchema,
  Seq,
  SeqBound,
  Time,
} from './primitives.js';

const vehicle = {
  make: Label.optional(),
  model: Label.optional(),
  color: Label.optional(),
  plate: Label.optional(),
};

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .meta({ description: 'An http or https URL' });

/** A driver or customer as the host describes them. `phone` is never shown to the other party. */
export const Person = z.strictObject({
  id: Id,
  name: Label.optional(),
  avatar_url: httpUrl.optional(),
  vehicle: z.strictObject(vehicle).optional(),
  rating: z.number().min(0).max(5).optional(),
  locale: z
    .string()
    .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'a BCP 47 language tag')
    .max(35)
    .optional(),
  phone: Label.optional(),
});

/** What the other party sees of a person, in the tutorial's spelling (`_id`). Public fields only. */
export const UserDetail = z.object({
  _id: Id,
  scope: ScopeSchema,
  name: z.string(),
  avatar_url: z.string().optional(),
  vehicle: z.object(vehicle).optional(),
  rating: z.number().optional(),
});

export const ChatStateSchema = z.enum(CHAT_STATES);

export const TextBody = z.strictObject({ text: MessageText });
/** `params` are checked against the catalogue by the server: keys and types depend on `key`. */
export const CannedBody = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a key of the catalogue'),
  params: z.record(z.string().max(64), z.union([z.number(), z.string().max(200)])).optional(),
});
export const LocationBody = z.strictObject({ lat: Latitude, lng: Longitude, label: Label.optional() });
/** What erasure leaves of a body. */
const ErasedBody = z.object({ erased: z.literal(true) });

/** Sender of a message; `{ user_id: "host", scope: "system" }` for the host and the server. */
export const Sender = z.object({ user_id: Id, scope: z.enum(['driver', 'customer', 'support', 'system']) });

/** One entry of a booking's log. */
export const Message = z.object({
  id: z.uuid(),
  booking_id: Id,
  seq: Seq,
  sender: Sender,
  client_id: ClientId,
  kind: z.enum(MESSAGE_KINDS),
  body: z.union([
    z.object({ text: z.string() }),
    z.object({ key: z.string(), params: z.record(z.string(), z.union([z.number(), z.string()])).optional() }),
    z.object({ lat: z.number(), lng: z.number(), label: z.string().optional() }),
    ErasedBody,
  ]),
  created_at: Time,
});

const receipts = { delivered_seq: SeqBound, read_seq: SeqBound };

/** The object of `create-connection`, as one reader sees the booking. */
export const ConnectionView = z.object({
  response: z.uuid().meta({ description: 'The connection id: the same for the pair, for ever' }),
  user_detail: UserDetail,
  booking: Id,
  status: z.string(),
  chat: ChatStateSchema,
  closes_at: Time.optional(),
  from_seq: Seq,
  last_seq: SeqBound,
  ...receipts,
  counterpart: z.object({ ...receipts, online: z.boolean(), last_seen_at: Time.optional() }),
});

export const ReceiptView = z.object({ user_id: Id, scope: ScopeSchema, ...receipts, at: Time.optional() });
export const PresenceView = z.object({
  user_id: Id,
  scope: ScopeSchema,
  online: z.boolean(),
  last_seen_at: Time.optional(),
  types: z.array(z.string()),
});
export const Position = {
  lat: Latitude,
  lng: Longitude,
  heading: z.number().min(0).max(360).optional().meta({ description: 'degrees clockwise from north' }),
  speed: z.number().min(0).optional().meta({ description: 'metres per second' }),
  accuracy: z.number().min(0).optional().meta({ description: 'metres' }),
};
export const LocationView = z.object({ user_id: Id, scope: ScopeSchema, ...Position, at: Time });

/** A seat: its visible range of `seq` and its receipts. `to_seq` is set when the seat ended. */
export const Participant = z.object({
  user_id: Id,
  scope: ScopeSchema,
  from_seq: Seq,
  to_seq: SeqBound.optional(),
  ...receipts,
  joined_at: Time.optional(),
});

/** A person as REST shows them to the host. */
const PersonView = Person.extend({ connection_id: z.uuid().nullable() }).loose();

/** A booking as REST answers it. */
export const Booking = z.object({
  booking_id: Id,
  status: z.string(),
  chat: ChatStateSchema,
  closes_at: Time.optional(),
  connection_id: z.uuid().nullable(),
  driver: PersonView.nullable(),
  customer: PersonView,
  participants: z.array(Participant),
  last_seq: SeqBound,
  metadata: z.record(z.string(), z.unknown()),
});

/** Free JSON of the host's, up to 4 kB as JSON. */
export const Metadata = z.record(z.string(), z.json()).refine(
  (metadata) => {
    const json = JSON.stringify(metadata);
    return json.isWellFormed() && !json.includes('\\u0000') && json.length <= LIMITS.metadataMaxBytes
      ? new TextEncoder().encode(json).byteLength <= LIMITS.metadataMaxBytes
      : false;
  },
  {
    message: `metadata must fit in ${LIMITS.metadataMaxBytes} bytes of JSON, without NUL or lone surrogates`,
  },
);
