/** Splits one direction of a connection into units: the HTTP head, then WebSocket frames; other bytes pass as they come. */
export class Frames {
  #head = true;
  #websocket = false;
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const units: Buffer[] = [];
    for (let unit = this.#take(); unit !== undefined; unit = this.#take()) units.push(unit);
    return units;
  }

  #take(): Buffer | undefined {
    const length = this.#head
      ? this.#headLength()
      : this.#websocket
        ? frameLength(this.#buffer)
        : this.#buffer.length;
    if (length === undefined || length === 0 || this.#buffer.length < length) return undefined;
    const unit = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return unit;
  }

  #headLength(): number | undefined {
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    this.#head = false;
    this.#websocket = /^upgrade: *websocket/im.test(this.#buffer.subarray(0, end).toString('latin1'));
    return end + 4;
  }
}

/** Header of RFC 6455, section 5.2; undefined when it is not whole yet. */
function frameHead(bytes: Buffer): { start: number; length: number; mask: Buffer | undefined } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const masked = (bytes.readUInt8(1) & 0x80) !== 0;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length =
    extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { start, length, mask: masked ? bytes.subarray(start - 4, start) : undefined };
}

function frameLength(bytes: Buffer): number | undefined {
  const head = frameHead(bytes);
  return head === undefined ? undefined : head.start + head.length;
}

/** The text that a whole, single frame carries; bytes that are no frame are read as they are. */
export function textOf(unit: Buffer): string {
  const head = frameHead(unit);
  if (head === undefined || head.start + head.length !== unit.length) return unit.toString('latin1');
  const payload = Buffer.from(unit.subarray(head.start));
  if (head.mask !== undefined) {
    for (let index = 0; index < payload.length; index += 1) {
      payload[index] = (payload[index] ?? 0) ^ (head.mask[index & 3] ?? 0);
    }
  }
  return payload.toString('utf8');
}
