import type { MessageObject, SenderScope } from '@curbline/contract';
import { isoTime } from '../ops/iso-time.js';
import { kindOf } from './codes.js';

/** A row of the log, without the ids that only the booking's seats know. */
export interface MessageRow {
  readonly seq: number;
  readonly sender_no: number;
  readonly kind: number;
  readonly flags: number;
  readonly id: string;
  readonly client_id: string;
  readonly body: string;
  readonly created_at: Date;
}

/** Who sent it, by internal number: seats of the booking, and the host. */
export type SenderOf = (personNo: number) => { user_id: string; scope: SenderScope };

/** The row's client_id was sent in capitals: Swift prints UUIDs so, and looks for what it sent. */
const UPPERCASE_CLIENT_ID = 1;

/** `flags` for a client_id as it was sent. */
export const flagsFor = (clientId: string): number =>
  /[A-F]/.test(clientId) && !/[a-f]/.test(clientId) ? UPPERCASE_CLIENT_ID : 0;

/**
 * Row → wire, as JSON: history is spelled as the live event was, byte for byte. A body is in the row as the JSON of what was said, or as
 * the mark of erasure, and is not read for that: a page of long texts weighs what it says and no multiple of it.
 */
export function messageJson(row: MessageRow, bookingJson: string, senderJson: string): string {
  const clientId = (row.flags & UPPERCASE_CLIENT_ID) === 0 ? row.client_id : row.client_id.toUpperCase();
  return (
    `{"id":"${row.id}","booking_id":${bookingJson},"seq":${row.seq},"sender":${senderJson},` +
    `"client_id":"${clientId}","kind":"${kindOf(row.kind)}","body":${row.body},"created_at":"${isoTime(row.created_at)}"}`
  );
}

/** The same as an object. */
export const messageOf = (row: MessageRow, bookingId: string, senderOf: SenderOf): MessageObject =>
  JSON.parse(
    messageJson(row, JSON.stringify(bookingId), JSON.stringify(senderOf(row.sender_no))),
  ) as MessageObject;
