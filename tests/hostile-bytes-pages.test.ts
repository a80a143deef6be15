import type { Result } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WatchedServer } from './harness/vital-signs.js';

const BOOKINGS = 50;
const MESSAGES = 200;
let watched: WatchedServer;

beforeAll(async () => {
  watched = await WatchedServer.start({ CURBLINE_MESSAGES_PER_S: '0' });
});
afterAll(() => watched.stop());

test('a sync that has forty megabytes to tell is answered in parts, and all parts together are the log', async () => {
  const { server } = watched;
  const driver = await Person.connect(server, await server.token('driver', 'much-missed'));
  const behind = new Map<string, number>();
  for (let index = 0; index < BOOKINGS; index += 1) {
    const booking_id = await server.booking(`much-${index}`, { driver: 'much-missed' });
    behind.set(booking_id, 0);
    for (let batch = 0; batch < 4; batch += 1) {
      await Promise.all(
        Array.from({ length: MESSAGES / 4 }, () => driver.send(booking_id, 'm'.repeat(4_000))),
      );
    }
  }
  const seen = new Map<string, number[]>();
  let rounds = 0;
  let largest = 0;
  const harm = await underAttack(watched, 'syncs of 50 bookings with 200 messages of 4 kB each', async () => {
    while (behind.size > 0 && rounds < 100) {
      rounds += 1;
      const bookings = [...behind].map(([booking_id, after_seq]) => ({ booking_id, after_seq }));
      const answer = await driver.data<Result<'sync'>>('sync', { bookings });
      largest = Math.max(largest, JSON.stringify(answer).length);
      for (const entry of answer.bookings) {
        if (!('messages' in entry)) throw new Error('every booking has a seat');
        const seqs = entry.messages.map(({ seq }) => seq);
        seen.set(entry.booking_id, [...(seen.get(entry.booking_id) ?? []), ...seqs]);
        behind.set(entry.booking_id, seqs.at(-1) ?? behind.get(entry.booking_id) ?? 0);
        expect(entry.last_seq).toBe(MESSAGES);
        expect(entry.has_more).toBe(behind.get(entry.booking_id) !== MESSAGES);
        if (!entry.has_more) behind.delete(entry.booking_id);
      }
    }
  });
  expectHarmless(harm);
  const whole = Array.from({ length: MESSAGES }, (_, index) => index + 1);
  expect(seen.size).toBe(BOOKINGS);
  for (const seqs of seen.values()) expect(seqs).toEqual(whole);
  expect(largest).toBeLessThan(3_000_000);
  expect(rounds).toBeLessThan(40);
  driver.leave();
}, 120_000);
