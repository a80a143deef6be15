import type { ChatMessage } from '@curbline/client';
import { expect, test } from 'vitest';
import { compare, type PhoneRecord } from './delivery.js';

const message = (
  client_id: string,
  seq: number | undefined,
  mine: boolean,
  state: ChatMessage['state'] = 'stored',
) =>
  ({
    booking_id: 'b',
    client_id,
    ...(seq !== undefined && { seq }),
    sender: { user_id: mine ? 'me' : 'other', scope: 'driver' },
    kind: 'text',
    body: { text: client_id },
    created_at: '2026-01-01T00:00:00.000Z',
    mine,
    state,
  }) satisfies ChatMessage;
const sent = (id: string, seq?: number, state?: ChatMessage['state']) => message(id, seq, true, state);
const got = (id: string, seq: number) => message(id, seq, false);
const phone = (messages: readonly ChatMessage[], handed: readonly string[] = []): PhoneRecord => ({
  messages,
  handed,
});

test('what both hold has arrived, in both directions', () => {
  const driver = phone([sent('a', 1), got('b', 2)], ['b']);
  const customer = phone([got('a', 1), sent('b', 2)], ['a']);
  expect(compare(driver, customer)).toEqual({ sent: 2, arrived: 2, waiting: 0, lost: 0, duplicated: 0 });
});

test('what is unsent, or newer than all that the other has, is waiting and not lost', () => {
  const driver = phone([sent('a', 1), sent('b', 2), sent('c', undefined, 'queued')]);
  const customer = phone([got('a', 1)], ['a']);
  expect(compare(driver, customer)).toEqual({ sent: 3, arrived: 1, waiting: 2, lost: 0, duplicated: 0 });
});

test('a hole in what the other holds is a loss', () => {
  const driver = phone([sent('a', 1), sent('b', 2), sent('c', 3)]);
  const customer = phone([got('a', 1), got('c', 3)], ['a', 'c']);
  expect(compare(driver, customer)).toMatchObject({ arrived: 2, lost: 1 });
});

test('a message shown or handed over twice is a duplicate', () => {
  const driver = phone([sent('a', 1)]);
  expect(compare(driver, phone([got('a', 1), got('a', 1)], ['a']))).toMatchObject({ duplicated: 1 });
  expect(compare(driver, phone([got('a', 1)], ['a', 'a']))).toMatchObject({ duplicated: 1 });
});

test('what failed was never promised, and what is older than the other page is not looked for', () => {
  const driver = phone([sent('old', 1), sent('a', 5), sent('x', undefined, 'failed')]);
  const customer = phone([got('a', 5)]);
  expect(compare(driver, customer)).toEqual({ sent: 1, arrived: 1, waiting: 0, lost: 0, duplicated: 0 });
});

test('two phones that hold nothing have lost nothing', () => {
  expect(compare(phone([]), phone([]))).toEqual({ sent: 0, arrived: 0, waiting: 0, lost: 0, duplicated: 0 });
});
