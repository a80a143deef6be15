/** PostgreSQL's numbers of types. */
export const PG_TYPE = { int8: 20, int2: 21, int4: 23, text: 25, uuid: 2950 } as const;
export const PG_ARRAY = { int8: 1016, int2: 1005, int4: 1007, text: 1009, uuid: 2951 } as const;

const BIND = 0x42;
const EXECUTE = 0x45;
const SYNC = 0x53;
const EXECUTE_BYTES = 9;
const BINARY = 1;
const NULL = -1;
const ARRAY_HEAD_BYTES = 20;
const UUID_BYTES = 16;
const UUID_CHARS = 36;
const TWO_32 = 2 ** 32;
/** No character of UTF-16 has more bytes of UTF-8. */
const UTF8_BYTES = 3;
const START_BYTES = 65_536;
/** What `begin` and `end` write beside the statement's name. */
const FRAME_BYTES = 64;

const digits = new Uint8Array(128);
for (let value = 0; value < 16; value += 1) {
  digits[value.toString(16).charCodeAt(0)] = value;
  digits[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/**
 * What asks PostgreSQL for one run of a prepared statement (Bind, Execute and Sync of its protocol), with parameters in the
 * binary format, which it takes in for half the work of texts. All of it lies in one buffer, which leaves in one write and
 * is used again: not before the answer is there, and never by two connections.
 */
export class BindMessage {
  private buffer = Buffer.allocUnsafeSlow(START_BYTES);
  private at = 0;

  /** Parameters follow, in their order and so many. */
  begin(statement: string, parameters: number): void {
    this.at = 0;
    this.room(FRAME_BYTES + statement.length);
    this.byte(BIND);
    // Its length, which `end` knows.
    this.int(0);
    // The portal without a name; every parameter is binary.
    this.byte(0);
    this.at += this.buffer.write(statement, this.at, 'latin1');
    this.byte(0);
    this.short(1);
    this.short(BINARY);
    this.short(parameters);
  }

  /** The whole message. Columns are answered as texts. */
  end(): Buffer {
    this.room(FRAME_BYTES);
    this.short(0);
    this.buffer.writeInt32BE(this.at - 1, 1);
    this.byte(EXECUTE);
    this.int(EXECUTE_BYTES);
    this.byte(0);
    this.int(0);
    this.byte(SYNC);
    this.int(4);
    return this.buffer.subarray(0, this.at);
  }

  int8(value: number): void {
    this.room(12);
    this.long(value);
  }

  int4(value: number | null): void {
    this.room(8);
    if (value === null) this.int(NULL);
    else {
      this.int(4);
      this.int(value);
    }
  }

  int2(value: number): void {
    this.room(6);
    this.int(2);
    this.short(value);
  }

  /** Throws where the text is not a UUID of 36 characters. */
  uuid(value: string): void {
    this.room(4 + UUID_BYTES);
    this.int(UUID_BYTES);
    this.hex(value);
  }

  text(value: string): void {
    this.room(4 + value.length * UTF8_BYTES);
    const size = this.buffer.write(value, this.at + 4, 'utf8');
    this.int(size);
    this.at += size;
  }

  int8s<T>(items: readonly T[], value: (item: T) => number): void {
    const from = this.array(PG_TYPE.int8, items.length, 12);
    for (const item of items) this.long(value(item));
    this.seal(from);
  }

  int4s<T>(items: readonly T[], value: (item: T) => number | null): void {
    const from = this.array(PG_TYPE.int4, items.length, 8);
    for (const item of items) {
      const number = value(item);
      // That there are nulls stands in the array's head.
      if (number === null) this.buffer[from + 11] = 1;
      this.int4(number);
    }
    this.seal(from);
  }

  int2s<T>(items: readonly T[], value: (item: T) => number): void {
    const from = this.array(PG_TYPE.int2, items.length, 6);
    for (const item of items) this.int2(value(item));
    this.seal(from);
  }

  uuids<T>(items: readonly T[], value: (item: T) => string): void {
    const from = this.array(PG_TYPE.uuid, items.length, 4 + UUID_BYTES);
    for (const item of items) this.uuid(value(item));
    this.seal(from);
  }

  texts<T>(items: readonly T[], value: (item: T) => string): void {
    const from = this.array(PG_TYPE.text, items.length, 4);
    for (const item of items) this.text(value(item));
    this.seal(from);
  }

  /** Where the array's length stands, which `seal` knows. */
  private array(type: number, length: number, eachBytes: number): number {
    this.room(4 + ARRAY_HEAD_BYTES + length * eachBytes);
    const from = this.at;
    this.int(0);
    // One dimension, no nulls, the type, how many, and that PostgreSQL counts from one.
    this.int(1);
    this.int(0);
    this.int(type);
    this.int(length);
    this.int(1);
    return from;
  }

  private seal(from: number): void {
    this.buffer.writeInt32BE(this.at - from - 4, from);
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  private byte(value: number): void {
    this.buffer[this.at] = value;
    this.at += 1;
  }

  private short(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  private int(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  private long(value: number): void {
    this.int(8);
    this.int(Math.floor(value / TWO_32));
    this.int(value | 0);
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
