import type { BookingRecord } from '../store/booking-row.js';
import { messageJson, type MessageRow } from '../store/message-row.js';
import { Printed } from '../printed.js';
import { sendersOf } from './views.js';

/** A page of the log: each message as the JSON that its live event had. */
export interface PrintedPage {
  readonly messages: readonly string[];
  readonly last_seq: number;
  readonly has_more: boolean;
}

/** The rows of one booking as they are answered. Its few senders are spelled once. */
export function printedMessages(record: BookingRecord, rows: readonly MessageRow[]): string[] {
  const bookingJson = JSON.stringify(record.id);
  const senderOf = sendersOf(record);
  const senders = new Map<number, string>();
  return rows.map((row) => {
    const senderJson = senders.get(row.sender_no) ?? JSON.stringify(senderOf(row.sender_no));
    senders.set(row.sender_no, senderJson);
    return messageJson(row, bookingJson, senderJson);
  });
}

/** An object with messages that are JSON already. */
export function withMessages<T extends { messages?: unknown }>(
  fields: Omit<T, 'messages'>,
  messages: readonly string[],
): Printed<T> {
  const [first = '', ...others] = messages;
  // Added one by one: a rope, which is copied once, when it is written.
  let json = `${JSON.stringify(fields).slice(0, -1)},"messages":[${first}`;
  for (const message of others) json += `,${message}`;
  return new Printed(`${json}]}`);
}
