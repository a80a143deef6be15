import type { Payload } from '@curbline/contract';
import { PacketType } from 'socket.io-parser';
import { TextCommand } from '../text-command.js';
import type { PlainEvent } from './packet-parser.js';

const FIELDS = 4;
const MAX_LENGTH = 1_000;
/** Neither NFC nor the rules for marks, surrogates and NUL have anything to say about these. */
const printable = /^[\x20-\x7e]{1,128}$/;
const printableWithInk = /^ *[\x21-\x7e][\x20-\x7e]*$/;
const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const guid = new RegExp(`^${GUID}$`);

/**
 * Whether an input is a message that needs no second look: a text in printable ASCII, with exactly the fields of the
 * schema. Everything else, and every error, is the schema's to judge; what is true here is true there.
 */
export function isPlainText(input: unknown): input is Payload<'message.send'> & { kind: 'text' } {
  if (typeof input !== 'object' || input === null) return false;
  const { booking_id, client_id, kind, body } = input as Record<string, unknown>;
  if (kind !== 'text' || typeof booking_id !== 'string' || typeof client_id !== 'string') return false;
  if (typeof body !== 'object' || body === null) return false;
  const { text } = body as Record<string, unknown>;
  return (
    typeof text === 'string' &&
    text.length <= MAX_LENGTH &&
    printableWithInk.test(text) &&
    guid.test(client_id) &&
    printable.test(booking_id) &&
    fieldsOf(input) === FIELDS &&
    fieldsOf(body) === 1
  );
}

/**
 * Such a message as the SDKs spell it (the fields in the contract's order, no space between them), in engine.io's and Socket.IO's
 * envelope. No text in it has an escape, so that parsing and printing again would give the same.
 */
const UNESCAPED = String.raw`\x21\x23-\x5b\x5d-\x7e`;
const spelled = new RegExp(
  String.raw`^42(\d{0,14})\["message\.send",\{` +
    `"booking_id":"([ ${UNESCAPED}]{1,128})","client_id":"(${GUID})","kind":"text",` +
    String.raw`"body":(\{"text":" *[${UNESCAPED}][ ${UNESCAPED}]*"\})\}\]$`,
);
const AROUND_TEXT = '{"text":""}'.length;

/**
 * Reads a text that is such a message; undefined when it is anything else, or spelled otherwise. One look, instead of parsing,
 * checking and printing it.
 */
export function plainTextEvent(text: string): PlainEvent | undefined {
  const [, id, bookingId, clientId, bodyJson] = spelled.exec(text) ?? [];
  if (bookingId === undefined || clientId === undefined || bodyJson === undefined) return undefined;
  if (bodyJson.length > MAX_LENGTH + AROUND_TEXT) return undefined;
  const data: PlainEvent['data'] = ['message.send', new TextCommand(bookingId, clientId, bodyJson)];
  return id
    ? { type: PacketType.EVENT, nsp: '/', data, id: Number(id) }
    : { type: PacketType.EVENT, nsp: '/', data };
}

/** JSON has no inherited fields: all that there are, are own. */
function fieldsOf(parsed: object): number {
  let count = 0;
  for (const _ in parsed) count += 1;
  return count;
}
