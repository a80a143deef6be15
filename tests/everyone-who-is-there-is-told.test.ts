import type { MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { frame, RawLink } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';

interface Created {
  booking_id: string;
  message: MessageObject;
}

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const textsOf = (person: Person, booking_id: string) =>
  person
    .told<Created>('message.created')
    .filter((told) => told.booking_id === booking_id)
    .map(({ message }) => (message.body as { text: string }).text);

/** What was sent to it before has been heard then. */
const hears = (person: Person, words: string) =>
  person.hears<Created>(
    'message.created',
    ({ message }) => (message.body as { text: string }).text === words,
  );

const left = async (person: Person) => {
  const gone = new Promise((resolve) => person.socket.once('disconnect', resolve));
  person.leave();
  await gone;
  // Nothing says that the server has heard of it. Were it too short, the story would be true still, and prove less.
  await new Promise((resolve) => setTimeout(resolve, 100));
};

test('between two messages of a driver, the sockets of a customer come and go: each hears what is said while it is there', async () => {
  const { booking_id, driver, customer: phone } = await pair(server);
  await driver.send(booking_id, 'one');
  await hears(phone, 'one');
  const tablet = await Person.as(server, 'customer', `${booking_id}-customer`);
  await driver.send(booking_id, 'two');
  await Promise.all([phone, tablet].map((person) => hears(person, 'two')));
  // The oldest leaves, and the other one stays.
  await left(phone);
  await driver.send(booking_id, 'three');
  await hears(tablet, 'three');
  // Nobody is there.
  await left(tablet);
  await driver.send(booking_id, 'four');
  // Somebody is back.
  const again = await Person.as(server, 'customer', `${booking_id}-customer`);
  await driver.send(booking_id, 'five');
  await hears(again, 'five');
  expect([phone, tablet, again].map((person) => textsOf(person, booking_id))).toEqual([
    ['one', 'two'],
    ['two', 'three'],
    ['five'],
  ]);
  for (const person of [driver, again]) person.leave();
});

test('a driver who writes to two bookings in turn on one socket is heard in the one that was meant', async () => {
  const first = await server.booking();
  const second = `${first}-second`;
  await server.rest('PUT', `/v1/bookings/${second}`, {
    driver: { id: `${first}-driver` },
    customer: { id: `${second}-customer` },
    status: 'in_progress',
  });
  const [driver, one, other] = await Promise.all([
    Person.as(server, 'driver', `${first}-driver`),
    Person.as(server, 'customer', `${first}-customer`),
    Person.as(server, 'customer', `${second}-customer`),
  ]);
  for (let turn = 1; turn <= 3; turn += 1) {
    await driver.send(first, `first ${turn}`);
    await driver.send(second, `second ${turn}`);
  }
  // Who has lost the second booking writes to the first one still, and to the second one no more.
  await server.rest('PATCH', `/v1/bookings/${second}`, { driver: { id: `${second}-driver` } });
  const refused = await driver.error('message.send', {
    booking_id: second,
    client_id: crypto.randomUUID(),
    kind: 'text',
    body: { text: 'second 4' },
  });
  expect(refused.code).toBe('not_found');
  await driver.send(first, 'first 4');
  await Promise.all([hears(one, 'first 4'), hears(other, 'second 3')]);
  expect(textsOf(one, first)).toEqual(['first 1', 'first 2', 'first 3', 'first 4']);
  expect(textsOf(other, second)).toEqual(['second 1', 'second 2', 'second 3']);
  expect([textsOf(one, second), textsOf(other, first)]).toEqual([[], []]);
  for (const person of [driver, one, other]) person.leave();
});

test.each([
  ['in one piece', true],
  ['apart', false],
])(
  'who has left Socket.IO and sends on is neither served nor told: it loses the websocket (read %s)',
  async (_, isOnePiece) => {
    const { booking_id, driver, customer } = await pair(server);
    const link = await RawLink.open(server.url, await server.token('driver', `${booking_id}-driver`));
    const send = (n: number) =>
      `42${n}["message.send",{"booking_id":"${booking_id}","client_id":"00000000-0000-4000-8000-00000000000${n}","kind":"text","body":{"text":"raw ${n}"}}]`;
    link.say(send(1));
    await link.until(() => link.heard.some((text) => text.startsWith('431')));
    if (isOnePiece) await link.write(Buffer.concat([frame('41'), frame(send(2))]));
    else {
      link.say('41');
      await driver.send(booking_id, 'when it has left');
      link.say(send(2));
    }
    await link.untilClosed();
    await driver.send(booking_id, 'after it');
    await hears(customer, 'after it');
    const told = textsOf(customer, booking_id);
    expect(told.filter((text) => text !== 'when it has left')).toEqual(['raw 1', 'after it']);
    expect(link.heard.filter((text) => text.startsWith('432') || text.includes('after it'))).toEqual([]);
    for (const person of [driver, customer]) person.leave();
  },
);
