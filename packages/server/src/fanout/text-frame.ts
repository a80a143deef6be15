const TEXT = 0x81;
const SHORT = 126;
const MEDIUM = 65_536;

/** A websocket frame of a server (RFC 6455: text, final, not masked), ready to be written to any number of sockets. */
export function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const head = size < SHORT ? 2 : size < MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = TEXT;
  if (head === 2) frame[1] = size;
  else if (head === 4) {
    frame[1] = SHORT;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = SHORT + 1;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame.write(text, head, 'utf8');
  return frame;
}
