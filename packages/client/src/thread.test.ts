import type { MessageObject } from '@curbline/contract';
import { expect, test } from 'vitest';
import { Thread } from './thread.js';

const message = (seq: number): MessageObject => ({
  id: `m${seq}`,
  booking_id: 'B',
  seq,
  sender: { user_id: 'me', scope: 'customer' },
  client_id: `c${seq}`,
  kind: 'text',
  body: { text: String(seq) },
  created_at: '2026-01-01T00:00:00.000Z',
});
const seqs = (messages: readonly MessageObject[]) => messages.map(({ seq }) => seq);

test('what comes early waits for what is missing', () => {
  const thread = new Thread();
  thread.start(2, [message(1), message(2)]);
  expect(seqs(thread.hear(message(5)))).toEqual([]);
  expect(thread.behind).toBe(true);
  expect(seqs(thread.hear(message(3)))).toEqual([3]);
  expect(seqs(thread.hear(message(4)))).toEqual([4, 5]);
  expect(thread.behind).toBe(false);
  expect(seqs(thread.messages)).toEqual([1, 2, 3, 4, 5]);
});

test('a driver who lost the seat and got it back goes on after what happened meanwhile', () => {
  const thread = new Thread();
  thread.start(4, [message(4)]);
  thread.hear(message(9));
  expect(seqs(thread.page([message(8), message(9), message(10)]))).toEqual([8, 9, 10]);
  expect(thread.behind).toBe(false);
  expect(seqs(thread.hear(message(9)))).toEqual([]);
});

test('earlier pages go in front, without what is there already', () => {
  const thread = new Thread();
  thread.start(5, [message(4), message(5)]);
  thread.prepend([message(2), message(3), message(4)]);
  expect(seqs(thread.messages)).toEqual([2, 3, 4, 5]);
});
