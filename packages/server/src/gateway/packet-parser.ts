import { Decoder, Encoder, PacketType, protocol, type Packet } from 'socket.io-parser';

/** What the stock parser refuses as the name of an event: Socket.IO's own. */
const RESERVED: ReadonlySet<unknown> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
const EVENT = '2'.charCodeAt(0);
const BRACKET = '['.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const MAX_ID_DIGITS = 15;

/**
 * Text only: nothing we send is binary, so no packet is searched for buffers before it is printed. What comes out
 * is the stock parser's spelling.
 */
class TextEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const namespace = packet.nsp !== undefined && packet.nsp !== '/' ? `${packet.nsp},` : '';
    const id = packet.id ?? '';
    // `data` is any in the parser's types; an absent one prints as nothing.
    const data: unknown = packet.data;
    return [
      `${packet.type}${namespace}${id}${data === undefined || data === null ? '' : JSON.stringify(data)}`,
    ];
  }
}

/** `2<id>["name",{…}]` in the main namespace is read here; everything else by the stock parser, errors included. */
class FastDecoder extends Decoder {
  /** An event with binary attachments has begun: what comes next belongs to it. */
  private attaching = false;

  override add(chunk: unknown): void {
    const packet = typeof chunk === 'string' && !this.attaching ? plainEvent(chunk, 0) : undefined;
    if (packet) {
      this.emitReserved('decoded', packet);
      return;
    }
    super.add(chunk);
    this.attaching = (this as unknown as { reconstructor: unknown }).reconstructor != null;
  }
}

/** An event of the main namespace: its name and what came with it. */
export interface PlainEvent {
  readonly type: PacketType.EVENT;
  readonly nsp: '/';
  /** Of the answer that is waited for. */
  readonly id?: number;
  readonly data: [string, ...unknown[]];
}

/** Reads `2<id>["name",{…}]` at this place of a text; undefined when something else is there. */
export function plainEvent(text: string, from: number): PlainEvent | undefined {
  if (text.charCodeAt(from) !== EVENT) return undefined;
  let at = from + 1;
  let id: number | undefined;
  for (let digit = text.charCodeAt(at) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(at) - ZERO) {
    id = (id ?? 0) * 10 + digit;
    at += 1;
    if (at - from > MAX_ID_DIGITS) return undefined;
  }
  if (text.charCodeAt(at) !== BRACKET) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text.slice(at));
  } catch {
    // The stock parser says what is wrong with it.
    return undefined;
  }
  if (!Array.isArray(data) || typeof data[0] !== 'string' || RESERVED.has(data[0])) return undefined;
  const named = data as PlainEvent['data'];
  return id === undefined
    ? { type: PacketType.EVENT, nsp: '/', data: named }
    : { type: PacketType.EVENT, nsp: '/', data: named, id };
}

/** Socket.IO's `parser` option. */
export const packetParser = { protocol, Encoder: TextEncoder, Decoder: FastDecoder };
