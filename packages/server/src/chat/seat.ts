import type { PartyScope } from '@curbline/contract';
import { personKey } from '../actor.js';
import type { Reader } from '../fanout/fanout.js';
import type { BookingRecord, SeatRow } from '../store/booking-row.js';
import { scopeOf } from '../store/codes.js';

/** A caller's place in a booking, with what a message of theirs needs spelled out once. */
export interface Seat {
  /*
   * What a send reads is here and not behind `row` and `booking`: of four thousand people who write in turn, each object that is
   * looked into is a wait for memory.
   */
  readonly no: number;
  readonly personNo: number;
  readonly bookingNo: number;
  readonly bookingId: string;
  readonly epoch: number;
  readonly scope: PartyScope;
  readonly row: SeatRow;
  readonly booking: BookingRecord;
  /** The booking's id as JSON. */
  readonly bookingJson: string;
  /** `{ user_id, scope }` as JSON. */
  readonly senderJson: string;
  /** Everybody who sits in the booking now, and where their seat begins. */
  readonly readers: readonly SeatedReader[];
  /** The one of them who sits here. */
  readonly reader: Reader;
  /** How far the person is known to have read, on this node. */
  readSeq: number;
  /** When the chat ceases to be open to them, in milliseconds since 1970, once somebody has asked. */
  openUntilMs: number | undefined;
  /** This node holds a newer record of the booking, or none any more. */
  isReplaced: boolean;
}

interface SeatedReader extends Reader {
  readonly fromSeq: number;
}

/** The seats that are taken now, by person. `known` are those of an earlier record: what was read stays read. */
export function seatsOf(booking: BookingRecord, known?: ReadonlyMap<string, Seat>): Map<string, Seat> {
  const bookingJson = JSON.stringify(booking.id);
  const readers: SeatedReader[] = [];
  const seats = new Map<string, Seat>();
  for (const row of booking.seats) {
    if (row.to_seq !== null) continue;
    const scope = scopeOf(row.scope) as PartyScope;
    const sender = { user_id: row.user_id, scope };
    const key = personKey(sender);
    const reader = { key, fromSeq: row.from_seq, found: undefined };
    readers.push(reader);
    const sentSeq = scope === 'driver' ? booking.driver_sent_seq : booking.customer_sent_seq;
    seats.set(key, {
      no: row.no,
      personNo: row.person_no,
      bookingNo: booking.no,
      bookingId: booking.id,
      epoch: booking.epoch,
      scope,
      row,
      booking,
      bookingJson,
      senderJson: JSON.stringify(sender),
      readers,
      reader,
      readSeq: Math.max(row.read_seq, sentSeq, row.from_seq - 1, known?.get(key)?.readSeq ?? 0),
      openUntilMs: undefined,
      isReplaced: false,
    });
  }
  return seats;
}
