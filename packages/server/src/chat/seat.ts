import type { PartyScope } from '@curbline/contract';
import { personKey } from '../actor.js';
import type { BookingRecord, SeatRow } from '../store/booking-row.js';
import { scopeOf } from '../store/codes.js';

/** A caller's place in a booking, with what a message of theirs needs spelled out once. */
export interface Seat {
  readonly scope: PartyScope;
  readonly row: SeatRow;
  readonly booking: BookingRecord;
  /** How far each person (by internal number) is known to have read, on this node. */
  readonly reads: Map<number, number>;
  /** The booking's id as JSON. */
  readonly bookingJson: string;
  /** `{ user_id, scope }` as JSON. */
  readonly senderJson: string;
  /** Everybody who sits in the booking now: key of their room, and where their seat begins. */
  readonly readers: readonly { readonly key: string; readonly fromSeq: number }[];
}

/** The seats that are taken now, by person. */
export function seatsOf(booking: BookingRecord, reads: Map<number, number>): Map<string, Seat> {
  const bookingJson = JSON.stringify(booking.id);
  const readers: { key: string; fromSeq: number }[] = [];
  const seats = new Map<string, Seat>();
  for (const row of booking.seats) {
    if (row.to_seq !== null) continue;
    const scope = scopeOf(row.scope) as PartyScope;
    const sender = { user_id: row.user_id, scope };
    const key = personKey(sender);
    readers.push({ key, fromSeq: row.from_seq });
    seats.set(key, {
      scope,
      row,
      booking,
      reads,
      bookingJson,
      senderJson: JSON.stringify(sender),
      readers,
    });
  }
  return seats;
}
