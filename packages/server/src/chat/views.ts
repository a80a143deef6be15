import {
  HOST_SENDER,
  type BookingView,
  type ChatState,
  type ConnectionObject,
  type PartyScope,
  type PresenceObject,
  type ReceiptObject,
  type UserDetailObject,
} from '@curbline/contract';
import type { PersonRef } from '../actor.js';
import type { BookingRecord, PersonRow, SeatRow } from '../store/booking-row.js';
import { scopeOf } from '../store/codes.js';
import type { SenderOf } from '../store/message-row.js';

/** Whether a person is connected, and since when not. */
export interface PresenceFacts {
  readonly online: boolean;
  readonly last_seen_at?: string;
  readonly types: string[];
}

export const otherScope = (scope: PartyScope): PartyScope => (scope === 'driver' ? 'customer' : 'driver');

/** The person who sits in a role now. */
export const personOf = (record: BookingRecord, scope: PartyScope): PersonRow | null =>
  scope === 'driver' ? record.driver : record.customer;

/** The people of the seats that are taken now: who is told. */
export function participantsOf(record: BookingRecord): PersonRef[] {
  const people: PersonRef[] = [{ scope: 'customer', user_id: record.customer.id }];
  if (record.driver) people.push({ scope: 'driver', user_id: record.driver.id });
  return people;
}

/** The people whose seats of now reach back to a message: who is told of it. */
export const readersOf = (record: BookingRecord, seq: number): PersonRef[] =>
  record.seats
    .filter((seat) => seat.to_seq === null && seat.from_seq <= seq)
    .map((seat) => ({ scope: scopeOf(seat.scope) as PartyScope, user_id: seat.user_id }));

/** The other party of a role, if there is one. */
export function counterpartOf(record: BookingRecord, scope: PartyScope): PersonRef | undefined {
  const other = otherScope(scope);
  const person = personOf(record, other);
  return person ? { scope: other, user_id: person.id } : undefined;
}

/** The public fields of a person and nothing else: never the phone number, never what the host adds later. */
export function userDetail(person: PersonRow, scope: PartyScope): UserDetailObject {
  const { name, avatar_url, vehicle, rating } = person.profile;
  return {
    _id: person.id,
    scope,
    name: name ?? person.token_name ?? person.id,
    ...(avatar_url !== undefined && { avatar_url }),
    ...(vehicle !== undefined && { vehicle }),
    ...(rating !== undefined && { rating }),
  };
}

const currentSeat = (record: BookingRecord, scope: PartyScope): SeatRow | undefined =>
  record.seats.find((seat) => seat.to_seq === null && scopeOf(seat.scope) === scope);

/** Receipts of a role's seat of now: what the person sent counts as delivered and read. */
export function receiptsOf(
  record: BookingRecord,
  scope: PartyScope,
): { delivered_seq: number; read_seq: number } {
  const seat = currentSeat(record, scope);
  const sent = scope === 'driver' ? record.driver_sent_seq : record.customer_sent_seq;
  return {
    delivered_seq: Math.max(seat?.delivered_seq ?? 0, sent),
    read_seq: Math.max(seat?.read_seq ?? 0, sent),
  };
}

/** The object of `create-connection` for one reader. Undefined when there is nobody on the other side. */
export function connectionView(
  record: BookingRecord,
  connectionId: string,
  reader: PartyScope,
  chat: ChatState,
  other: PresenceFacts,
): ConnectionObject | undefined {
  const otherRole = otherScope(reader);
  const person = personOf(record, otherRole);
  const seat = currentSeat(record, reader);
  if (!person || !seat) return undefined;
  return {
    response: connectionId,
    user_detail: userDetail(person, otherRole),
    booking: record.id,
    status: record.status,
    chat,
    ...closing(record),
    from_seq: seat.from_seq,
    last_seq: record.last_seq,
    ...receiptsOf(record, reader),
    counterpart: {
      ...receiptsOf(record, otherRole),
      online: other.online,
      ...(other.last_seen_at !== undefined && { last_seen_at: other.last_seen_at }),
    },
  };
}

/** `closes_at`, when a closing status has set it. */
export const closing = (record: BookingRecord): { closes_at?: string } =>
  record.closes_at ? { closes_at: record.closes_at.toISOString() } : {};

/** Receipts of everybody who sits in the booking now. */
export function receiptList(record: BookingRecord): ReceiptObject[] {
  return participantsOf(record).flatMap((person) => {
    if (person.scope === 'support') return [];
    const at = currentSeat(record, person.scope)?.receipt_at;
    return [
      {
        user_id: person.user_id,
        scope: person.scope,
        ...receiptsOf(record, person.scope),
        ...(typeof at === 'string' && { at: new Date(at).toISOString() }),
      },
    ];
  });
}

/** Presence of one participant, as in `presence.updated`. */
export const presenceView = (person: PersonRef, facts: PresenceFacts): PresenceObject => ({
  user_id: person.user_id,
  scope: person.scope,
  online: facts.online,
  ...(facts.last_seen_at !== undefined && { last_seen_at: facts.last_seen_at }),
  types: facts.types,
});

/** Who sent a row: everybody who ever sat in the booking, or the host. */
export const sendersOf =
  (record: BookingRecord): SenderOf =>
  (personNo) => {
    const seat = record.seats.find((candidate) => candidate.person_no === personNo);
    return seat ? { user_id: seat.user_id, scope: scopeOf(seat.scope) } : HOST_SENDER;
  };

/** A booking as REST answers it. */
export function bookingView(record: BookingRecord, chat: ChatState): BookingView {
  const person = ({ id, profile, connection_id }: PersonRow) => ({ id, ...profile, connection_id });
  return {
    booking_id: record.id,
    status: record.status,
    chat,
    ...closing(record),
    connection_id: record.connection_id,
    driver: record.driver ? person(record.driver) : null,
    customer: person(record.customer),
    participants: record.seats.map((seat) => seatView(record, seat)),
    last_seq: record.last_seq,
    metadata: record.metadata,
  };
}

function seatView(record: BookingRecord, seat: SeatRow): BookingView['participants'][number] {
  const scope = scopeOf(seat.scope) as PartyScope;
  const now = seat.to_seq === null;
  const receipts = now
    ? receiptsOf(record, scope)
    : { delivered_seq: seat.delivered_seq, read_seq: seat.read_seq };
  return {
    user_id: seat.user_id,
    scope,
    from_seq: seat.from_seq,
    ...(seat.to_seq !== null && { to_seq: seat.to_seq }),
    ...receipts,
    ...(seat.joined_at !== null && { joined_at: new Date(seat.joined_at).toISOString() }),
  };
}
