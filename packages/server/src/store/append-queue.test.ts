import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppendQueue, type Waiting } from './append-queue.js';

const waiting = (bookingNo: number, senderNo: number, client: number): Waiting => ({
  entry: {
    bookingNo,
    epoch: 1,
    senderNo,
    scope: 1,
    clientId: `client-${client}`,
    flags: 0,
    kind: 1,
    id: 'id',
    body: '{}',
    mayBeKept: false,
  },
  mayBeKept: false,
  resolve: () => undefined,
  reject: () => undefined,
});
const keyOf = ({ entry }: Waiting) => `${entry.bookingNo}:${entry.senderNo}:${entry.clientId}`;

/** What comes in, and when a batch is taken. Few clients, so that repeats are common. */
const steps = fc.array(
  fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 40 }))
      .map(([booking, sender, client]) => waiting(booking, sender, client)),
    fc.constant('take' as const),
  ),
  { maxLength: 300 },
);

test('every entry leaves once, in the order of its booking, and no batch holds a repeat', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new AppendQueue();
      const came: Waiting[] = [];
      const left: Waiting[] = [];
      const take = () => {
        const batch = queue.take();
        expect(new Set(batch.map(keyOf)).size).toBe(batch.length);
        left.push(...batch);
        return batch.length;
      };
      for (const step of all) {
        if (step === 'take') take();
        else {
          queue.add(step);
          came.push(step);
        }
      }
      while (queue.size > 0) expect(take()).toBeGreaterThan(0);
      for (const bookingNo of [1, 2, 3]) {
        const of = (list: Waiting[]) => list.filter(({ entry }) => entry.bookingNo === bookingNo);
        expect(of(left)).toEqual(of(came));
      }
      expect(queue.takeAll()).toEqual([]);
    }),
  );
});

test('a flooded booking leaves room for the others', () => {
  const queue = new AppendQueue();
  for (let client = 0; client < 2_000; client += 1) queue.add(waiting(1, 1, client));
  queue.add(waiting(2, 1, 1));
  const batch = queue.take();
  expect(batch.map(({ entry }) => entry.bookingNo)).toContain(2);
  expect(batch.length).toBeLessThanOrEqual(500);
  const waitingStill = queue.size;
  expect(queue.takeAll()).toHaveLength(waitingStill);
  expect(batch.length + waitingStill).toBe(2_001);
});
