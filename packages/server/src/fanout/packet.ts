const ENGINE_MESSAGE = '4';
const SHORT = 126;
const MEDIUM = 65_536;
const TEXT = '\x81';
const TWO_BYTES = '\x7e';

/**
 * A text as a websocket frame of a server (RFC 6455: final, not masked): a string of latin1 where the text is ASCII,
 * which leaves without a copy, else bytes.
 */
export type Frame = string | Buffer;

export function textFrame(text: string): Frame {
  const size = Buffer.byteLength(text);
  const isAscii = size === text.length;
  if (isAscii && size < SHORT) return TEXT + String.fromCharCode(size) + text;
  if (isAscii && size < MEDIUM) return TEXT + TWO_BYTES + String.fromCharCode(size >> 8, size & 0xff) + text;
  const [frame, head] = frameOf(TEXT.charCodeAt(0), size);
  frame.write(text, head);
  return frame;
}

/** A final frame that is not masked. */
export function byteFrame(opcode: number, payload: Uint8Array): Buffer {
  const [frame, head] = frameOf(opcode, payload.length);
  frame.set(payload, head);
  return frame;
}

/** Room for a final frame, with its head written; how long that is. */
function frameOf(opcode: number, size: number): [Buffer, number] {
  const head = size < SHORT ? 2 : size < MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = opcode;
  if (head === 2) frame[1] = size;
  else if (head === 4) {
    frame[1] = SHORT;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = SHORT + 1;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  return [frame, head];
}

/** A packet of Socket.IO, framed once for all who get it. */
export class Packet {
  private framed: Frame | undefined;

  constructor(readonly text: string) {}

  /** With engine.io's envelope, as it leaves on a websocket. */
  get frame(): Frame {
    return (this.framed ??= textFrame(ENGINE_MESSAGE + this.text));
  }
}
