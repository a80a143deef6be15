import { commands } from '@curbline/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainText } from './plain-text.js';

const ascii = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const anyText = fc.oneof(
  ascii,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '   ', '\t', '\0'),
);
const almost = fc.record(
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
  expect(passed, 'the glance is not blind').toBeGreaterThan(60);
});
