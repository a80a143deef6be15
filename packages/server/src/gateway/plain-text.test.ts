import { commands } from '@curbline/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextCommand } from '../text-command.js';
import { plainEvent } from './packet-parser.js';
import { isPlainText, plainTextEvent } from './plain-text.js';

const ascii = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const anyText = fc.oneof(
  ascii,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '   ', '\t', '\0'),
);
/** What apps send all day: without enough of it, a glance that knows nothing would pass for one that is right. */
const usual = fc.record({
  booking_id: fc.uuid(),
  client_id: fc.uuid(),
  kind: fc.constant('text'),
  body: fc.record({ text: ascii.map((text) => `at ${text.replaceAll(/["\\\\]/g, '')}.`) }),
});
const strange = fc.record(
  {
    booking_id: fc.oneof({ weight: 5, arbitrary: ascii }, anyText, fc.constant(7)),
    client_id: fc.oneof(
      { weight: 5, arbitrary: fc.uuid() },
      fc.uuid().map((id) => id.toUpperCase()),
      anyText,
    ),
    kind: fc.oneof({ weight: 9, arbitrary: fc.constant('text') }, fc.constantFrom('canned', 'system', 1)),
    body: fc.oneof(
      { weight: 9, arbitrary: fc.record({ text: fc.oneof({ weight: 3, arbitrary: ascii }, anyText) }) },
      fc.constantFrom(null, 'text', [], {}, { text: 1 }, { text: 'a', more: 1 }),
    ),
    extra: fc.constant(1),
  },
  { requiredKeys: ['booking_id', 'client_id', 'kind', 'body'] },
);
const almost = fc.oneof({ weight: 4, arbitrary: strange }, usual);

test('what passes at a glance passes the schema, unchanged', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: almost }, fc.anything()), (value) => {
      const text = JSON.stringify(value);
      const input: unknown = text === undefined ? undefined : JSON.parse(text);
      if (!isPlainText(input)) return;
      passed += 1;
      expect(commands['message.send'].payload.safeParse(input)).toEqual({ success: true, data: input });
    }),
    { numRuns: 3_000 },
  );
  expect(passed, 'the glance is not blind').toBeGreaterThan(200);
});

const envelope = fc.record({
  id: fc.oneof(fc.nat().map(String), fc.constantFrom('', '007', '99999999999999', '999999999999999')),
  order: fc.constantFrom(
    ['booking_id', 'client_id', 'kind', 'body'],
    ['kind', 'body', 'client_id', 'booking_id'],
  ),
  space: fc.oneof({ weight: 5, arbitrary: fc.constant('') }, fc.constant(' ')),
});

test('what is known by its spelling is what parsing and printing would make of it', () => {
  let passed = 0;
  fc.assert(
    fc.property(almost, envelope, (value, { id, order, space }) => {
      const { extra, ...rest } = value as Record<string, unknown>;
      const fields = [
        ...order.map((name) => [name, rest[name]]),
        ...(extra === undefined ? [] : [['extra', extra]]),
      ];
      const text = `42${id}["message.send",${space}${JSON.stringify(Object.fromEntries(fields))}]`;
      const found = plainTextEvent(text);
      if (found === undefined) return;
      passed += 1;
      const parsed = plainEvent(text, 1);
      const command = found.data[1] as TextCommand;
      const { booking_id, client_id, kind, body } = command;
      expect({ ...found, data: [found.data[0], { booking_id, client_id, kind, body }] }).toEqual(parsed);
      expect(isPlainText(parsed?.data[1])).toBe(true);
      expect(command.bodyJson).toBe(JSON.stringify(body));
    }),
    { numRuns: 5_000 },
  );
  expect(passed, 'the glance is not blind').toBeGreaterThan(200);
});

test.each([
  [
    'an escape',
    '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a\\u0041"}}]',
  ],
  ['a quote', '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a\\""}}]'],
  [
    'only spaces',
    '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"   "}}]',
  ],
  ['no text', '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":""}}]'],
  [
    'another command',
    '42["message.list",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a"}}]',
  ],
  [
    'another namespace',
    '42/a,["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a"}}]',
  ],
  [
    'a second argument',
    '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a"}},1]',
  ],
  [
    'a text of 1,001',
    `42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"${'a'.repeat(1_001)}"}}]`,
  ],
])('%s is left to the parser', (_, text) => {
  const id = '0b0c6f0a-0000-4000-8000-000000000001';
  const good = '42["message.send",{"booking_id":"b","client_id":"ID","kind":"text","body":{"text":"a"}}]';
  expect(plainTextEvent(good.replace('ID', id))).toBeDefined();
  expect(plainTextEvent(text.replace('ID', id))).toBeUndefined();
});
