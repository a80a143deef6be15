import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { frame, RawLink } from './harness/raw-link.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WatchedServer } from './harness/vital-signs.js';

const DEPTH = 300_000;
const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH);

let watched: WatchedServer;
let url: string;

beforeAll(async () => {
  // The default limit does not even let 300,000 brackets in: here the operator has opened it wide.
  watched = await WatchedServer.start({ CURBLINE_MAX_PAYLOAD_BYTES: '2000000' });
  url = watched.server.url;
});
afterAll(() => watched.stop());

test.each(['stranger', 'person'])(
  'JSON 300,000 levels deep from a %s ends the connection before it is parsed',
  async (who) => {
    const token = who === 'person' ? await watched.server.token('driver', 'deep') : undefined;
    const harm = await underAttack(watched, `300,000-deep JSON of a ${who}`, async () => {
      for (const text of [`42["message.send",${deep}]`, `40${deep}`, `451-["message.send",${deep}]`]) {
        const link = await RawLink.open(url, token);
        await link.write(frame(text));
        await link.untilClosed();
      }
    });
    expectHarmless(harm);
  },
);

test('REST refuses a deep body, and one of countless values, before it knows who sends it', async () => {
  const many = `{${Array.from({ length: 90_000 }, (_, index) => `"${index.toString(36)}":0`).join(',')}}`;
  const { booking_id: _, ...harm } = {
    booking_id: '',
    ...(await underAttack(
      watched,
      'REST bodies of 300,000 levels and 90,000 values, with and without a key',
      async () => {
        for (const body of [`{"metadata":${deep}}`, `{"metadata":${many}}`, deep, many]) {
          const stranger = await fetch(`${url}/v1/bookings/deep`, {
            method: 'PUT',
            headers: { 'content-type': 'application/json' },
            body,
          });
          expect([400, 401, 413]).toContain(stranger.status);
          const { status } = await watched.server.rest('PUT', '/v1/bookings/deep', body);
          expect([400, 413]).toContain(status);
        }
      },
    )),
  };
  expectHarmless(harm);
});

test('piles of combining marks are refused without putting them in order', async () => {
  const { server } = watched;
  const booking_id = await server.booking('piles');
  const person = await Person.connect(server, await server.token('driver', 'piles-driver'));
  await person.data('booking.join', { booking_id });
  const send = (text: string) =>
    person.ask('message.send', { booking_id, client_id: crypto.randomUUID(), kind: 'text', body: { text } });
  const harm = await underAttack(watched, 'ten messages of 16,000 combining marks', async () => {
    for (let index = 0; index < 10; index += 1) {
      const { error } = await send(`a${'\u0315\u0300'.repeat(8_000)}`);
      expect(error?.code).toBe('invalid');
    }
  });
  expectHarmless(harm);
  // Decorated text, as people write it, is none of that.
  expect((await send(`Z${'\u0315\u0300'.repeat(15)}algo`)).error).toBeUndefined();
  expect((await send('e\u0301'.repeat(4_000))).error).toBeUndefined();
  person.leave();
});
