/** PostgreSQL's numbers of types. */
const INT2 = 21;
const INT4 = 23;
const INT8 = 20;
const TEXT = 25;
const UUID = 2950;

const HEAD_BYTES = 20;
const UUID_BYTES = 16;
const UUID_CHARS = 36;
const NULL = -1;
const TWO_32 = 2 ** 32;
/** No character of UTF-16 has more bytes of UTF-8. */
const UTF8_BYTES = 3;
const START_BYTES = 65_536;

const digits = new Uint8Array(128);
for (let value = 0; value < 16; value += 1) {
  digits[value.toString(16).charCodeAt(0)] = value;
  digits[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/**
 * Arrays in PostgreSQL's binary format, which it takes in for half the work of the text that pg would spell. What is
 * written lies in one buffer, used again after `reset`: read it (pg copies it) before.
 */
export class BinaryArrays {
  private buffer = Buffer.allocUnsafeSlow(START_BYTES);
  private at = 0;

  reset(): void {
    this.at = 0;
  }

  int8<T>(items: readonly T[], value: (item: T) => number): Buffer {
    const from = this.begin(INT8, items.length, 12);
    for (const item of items) {
      const number = value(item);
      this.int(8);
      this.int(Math.floor(number / TWO_32));
      this.int(number | 0);
    }
    return this.buffer.subarray(from, this.at);
  }

  int4<T>(items: readonly T[], value: (item: T) => number | null): Buffer {
    const from = this.begin(INT4, items.length, 8);
    for (const item of items) {
      const number = value(item);
      if (number === null) {
        this.buffer[from + 7] = 1;
        this.int(NULL);
      } else {
        this.int(4);
        this.int(number);
      }
    }
    return this.buffer.subarray(from, this.at);
  }

  int2<T>(items: readonly T[], value: (item: T) => number): Buffer {
    const from = this.begin(INT2, items.length, 6);
    for (const item of items) {
      this.int(2);
      this.at = this.buffer.writeInt16BE(value(item), this.at);
    }
    return this.buffer.subarray(from, this.at);
  }

  /** Throws where a text is not a UUID of 36 characters. */
  uuid<T>(items: readonly T[], value: (item: T) => string): Buffer {
    const from = this.begin(UUID, items.length, 4 + UUID_BYTES);
    for (const item of items) {
      this.int(UUID_BYTES);
      this.hex(value(item));
    }
    return this.buffer.subarray(from, this.at);
  }

  text<T>(items: readonly T[], value: (item: T) => string): Buffer {
    const from = this.begin(TEXT, items.length, 4);
    let start = from;
    for (const item of items) {
      const text = value(item);
      const moved = this.room(start, 4 + text.length * UTF8_BYTES);
      start = moved;
      const size = this.buffer.write(text, this.at + 4, 'utf8');
      this.int(size);
      this.at += size;
    }
    return this.buffer.subarray(start, this.at);
  }

  private begin(type: number, length: number, eachBytes: number): number {
    const from = this.room(this.at, HEAD_BYTES + length * eachBytes);
    // One dimension, no nulls, the type, how many, and that PostgreSQL counts from one.
    for (const field of [1, 0, type, length, 1]) this.int(field);
    return from;
  }

  private int(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  /**
   * Makes room; what began at `from` begins at the returned place. Arrays written before keep the old buffer.
   */
  private room(from: number, bytes: number): number {
    if (this.at + bytes <= this.buffer.length) return from;
    const size = this.at - from;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, size + bytes));
    this.buffer.copy(larger, 0, from, this.at);
    this.buffer = larger;
    this.at = size;
    return 0;
  }

  private hex(uuid: string): void {
    if (uuid.length !== UUID_CHARS) throw new TypeError('not a UUID');
    const { buffer } = this;
    let { at } = this;
    for (let index = 0; index < UUID_CHARS; index += 2) {
      if (uuid.charCodeAt(index) === 0x2d) index += 1;
      const high = digits[uuid.charCodeAt(index)] ?? 0;
      buffer[at] = (high << 4) | (digits[uuid.charCodeAt(index + 1)] ?? 0);
      at += 1;
    }
    this.at = at;
  }
}
