import type { Answer } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { expectHarmless, underAttack } from './harness/under-attack.js';
import { WatchedServer } from './harness/vital-signs.js';

let watched: WatchedServer;

beforeAll(async () => {
  watched = await WatchedServer.start();
});
afterAll(() => watched.stop());

/** Sends so many a second for so long, evenly, and collects the answers. */
async function pour(
  person: Person,
  perS: number,
  seconds: number,
  send: (answered: (answer: Answer<unknown>) => void) => void,
) {
  const codes = new Map<string, number>();
  let open = 0;
  const from = performance.now();
  for (let sent = 0; sent < perS * seconds;) {
    const due = Math.min(perS * seconds, Math.floor(((performance.now() - from) / 1_000) * perS));
    for (; sent < due; sent += 1) {
      open += 1;
      send((answer) => {
        open -= 1;
        const what = answer.error?.code ?? 'data';
        if (what === 'rate_limited') expect(answer.error?.retry_after_ms).toBeGreaterThan(0);
        codes.set(what, (codes.get(what) ?? 0) + 1);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (let waits = 0; open > 0 && waits < 1_000 && person.socket.connected; waits += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { codes, open, connected: person.socket.connected };
}

test('of 1,000 messages a second from one socket each is answered, most of them with rate_limited', async () => {
  const { server } = watched;
  const booking_id = await server.booking();
  const person = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
  await person.data('booking.join', { booking_id });
  const harm = await underAttack(watched, '1,000 messages a second from one socket, 4 s', async () => {
    const { codes, open, connected } = await pour(person, 1_000, 4, (answered) =>
      person.socket.emit(
        'message.send',
        { booking_id, client_id: crypto.randomUUID(), kind: 'text', body: { text: 'flood' } },
        answered,
      ),
    );
    expect({ open, connected }).toEqual({ open: 0, connected: true });
    expect(codes.get('data')).toBeGreaterThanOrEqual(20);
    expect(codes.get('data')).toBeLessThan(100);
    expect((codes.get('data') ?? 0) + (codes.get('rate_limited') ?? 0)).toBe(4_000);
  });
  expectHarmless(harm);
  person.leave();
});

test('1,000 message.list a second from one socket do not keep others waiting', async () => {
  const { server } = watched;
  const booking_id = await server.booking();
  const person = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
  await person.data('booking.join', { booking_id });
  for (let index = 0; index < 20; index += 1) await person.send(booking_id, 'x'.repeat(40));
  const harm = await underAttack(watched, '1,000 message.list a second from one socket, 4 s', async () => {
    const { codes, open, connected } = await pour(person, 1_000, 4, (answered) =>
      person.socket.emit('message.list', { booking_id, limit: 200 }, answered),
    );
    expect({ open, connected }).toEqual({ open: 0, connected: true });
    expect([...codes.keys()].sort()).toEqual(['data', 'rate_limited']);
    expect(codes.get('data')).toBeGreaterThanOrEqual(1_000);
    expect(codes.get('rate_limited')).toBeGreaterThan(1_000);
  });
  expectHarmless(harm);
  person.leave();
});

test('the limit is the person’s: a second socket does not double it, another person does not feel it', async () => {
  const { server } = watched;
  const token = await server.token('driver', 'two-sockets');
  const [one, two] = await Promise.all([Person.connect(server, token), Person.connect(server, token)]);
  const codes = await Promise.all(
    [one, two].flatMap((person) =>
      Array.from({ length: 700 }, async () => (await person.ask('typing.set', {})).error?.code),
    ),
  );
  const refused = codes.filter((code) => code === 'rate_limited').length;
  expect(codes.length - refused).toBeGreaterThanOrEqual(1_000);
  expect(refused).toBeGreaterThan(0);
  const other = await Person.connect(server, await server.token('driver', 'somebody-else'));
  await other.data('booking.list', {});
  for (const person of [one, two, other]) person.leave();
});

test('the 101st socket of a person closes the oldest', async () => {
  const { server } = watched;
  const token = await server.token('customer', 'collector');
  const people: Person[] = [];
  for (let index = 0; index < 101; index += 1) people.push(await Person.connect(server, token));
  const [oldest, second] = people;
  await expect.poll(() => oldest?.socket.connected).toBe(false);
  expect(second?.socket.connected).toBe(true);
  expect(people.at(-1)?.socket.connected).toBe(true);
  for (const person of people) person.leave();
});

test('where the operator has switched the limit of messages off, a socket may send as fast as it can', async () => {
  const open = await WatchedServer.start({ CURBLINE_MESSAGES_PER_S: '0' });
  try {
    const booking_id = await open.server.booking();
    const person = await Person.connect(
      open.server,
      await open.server.token('driver', `${booking_id}-driver`),
    );
    // More at once than any bound of packets or commands would let pass; refused by the schema, so that they are cheap.
    const invalid = await Promise.all(Array.from({ length: 2_500 }, () => person.error('message.send', {})));
    expect(new Set(invalid.map(({ code }) => code))).toEqual(new Set(['invalid']));
    const answers = await Promise.all(Array.from({ length: 500 }, () => person.send(booking_id, 'fast')));
    expect(new Set(answers.map(({ message }) => message.seq)).size).toBe(500);
    person.leave();
  } finally {
    await open.stop();
  }
}, 60_000);
