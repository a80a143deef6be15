import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BindMessage, PG_TYPE } from './bind-message.js';

/** Reads PostgreSQL's protocol as its documentation has it (53.7, Bind, Execute, Sync). */
class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.at;
  }
  raw(size: number): Buffer {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
  char = (): string => this.raw(1).toString('latin1');
  short = (): number => this.raw(2).readInt16BE();
  int = (): number => this.raw(4).readInt32BE();
  zeroEnded(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = this.raw(end - this.at).toString();
    this.at += 1;
    return text;
  }
  value(): Buffer | null {
    const size = this.int();
    return size < 0 ? null : this.raw(size);
  }
}

/** The parameters of a message that is well-formed to its last byte. */
function parametersOf(bytes: Buffer, statement: string): (Buffer | null)[] {
  const reader = new Reader(bytes);
  expect(reader.char()).toBe('B');
  const size = reader.int();
  const bind = new Reader(reader.raw(size - 4));
  expect([bind.zeroEnded(), bind.zeroEnded()]).toEqual(['', statement]);
  // One format for all parameters: binary.
  expect([bind.short(), bind.short()]).toEqual([1, 1]);
  const parameters = Array.from({ length: bind.short() }, () => bind.value());
  // No format for columns: all are texts.
  expect([bind.short(), bind.left]).toEqual([0, 0]);
  expect([reader.char(), reader.int(), reader.zeroEnded(), reader.int()]).toEqual(['E', 9, '', 0]);
  expect([reader.char(), reader.int(), reader.left]).toEqual(['S', 4, 0]);
  return parameters;
}

function elementsOf(array: Buffer | null | undefined, type: number): (Buffer | null)[] {
  if (!array) throw new Error('an array is expected');
  const reader = new Reader(array);
  const dimensions = reader.int();
  const hasNulls = reader.int();
  expect([dimensions, reader.int()]).toEqual([1, type]);
  const elements = Array.from({ length: reader.int() }, (_, index) => {
    if (index === 0) expect(reader.int()).toBe(1);
    return reader.value();
  });
  expect(reader.left).toBe(0);
  expect(hasNulls).toBe(elements.includes(null) ? 1 : 0);
  return elements;
}

const hex = (uuid: string): string => uuid.replaceAll('-', '');
const row = fc.record({
  int8: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  int4: fc.option(fc.integer({ min: 0, max: 2_147_483_647 })),
  int2: fc.integer({ min: -1, max: 32_767 }),
  uuid: fc.uuid().chain((uuid) => fc.constantFrom(uuid, uuid.toUpperCase())),
  text: fc.string({ unit: 'grapheme', maxLength: 200 }),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

const held = ({ int8, int4, int2, uuid, text }: Row) => [
  int8,
  int4,
  int2,
  hex(uuid.toLowerCase()),
  // What UTF-8 has no room for (half of a pair) becomes the same replacement.
  Buffer.from(text).toString(),
];
const read = ([int8, int4, int2, uuid, text]: (Buffer | null | undefined)[]) => [
  Number(int8?.readBigInt64BE()),
  int4?.readInt32BE() ?? null,
  int2?.readInt16BE(),
  uuid?.toString('hex'),
  text?.toString(),
];

test('what is bound is what PostgreSQL reads: one row, in the same message again and again', () => {
  const message = new BindMessage();
  fc.assert(
    fc.property(row, fc.constantFrom('a', 'curbline-append-one'), (one, statement) => {
      message.begin(statement, 5);
      message.int8(one.int8);
      message.int4(one.int4);
      message.int2(one.int2);
      message.uuid(one.uuid);
      message.text(one.text);
      expect(read(parametersOf(message.end(), statement))).toEqual(held(one));
    }),
  );
});

test('what is bound is what PostgreSQL reads: arrays of rows, however large', () => {
  const message = new BindMessage();
  const rows = fc.array(row, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(rows, fc.constantFrom(1, 40), (some, times) => {
      const all = Array.from({ length: times }, () => some).flat();
      message.begin('s', 5);
      message.int8s(all, ({ int8 }) => int8);
      message.int4s(all, ({ int4 }) => int4);
      message.int2s(all, ({ int2 }) => int2);
      message.uuids(all, ({ uuid }) => uuid);
      message.texts(all, ({ text }) => text);
      const [int8, int4, int2, uuid, text] = parametersOf(message.end(), 's');
      const columns = [
        elementsOf(int8, PG_TYPE.int8),
        elementsOf(int4, PG_TYPE.int4),
        elementsOf(int2, PG_TYPE.int2),
        elementsOf(uuid, PG_TYPE.uuid),
        elementsOf(text, PG_TYPE.text),
      ];
      expect(all.map((_, index) => read(columns.map((column) => column[index])))).toEqual(all.map(held));
    }),
    { numRuns: 30 },
  );
});

test('what is no UUID is refused, and the message after it is whole', () => {
  const message = new BindMessage();
  message.begin('s', 1);
  expect(() => message.uuid('not-a-uuid')).toThrow('not a UUID');
  message.begin('s', 1);
  message.int2(7);
  expect(parametersOf(message.end(), 's')[0]?.readInt16BE()).toBe(7);
});
