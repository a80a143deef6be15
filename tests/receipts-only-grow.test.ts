import type { ConnectionObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

interface Receipt {
  booking_id: string;
  user_id: string;
  scope: string;
  delivered_seq: number;
  read_seq: number;
  at: string;
}
type Marks = { delivered_seq: number; read_seq: number };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const seatOf = async (person: Person, booking_id: string): Promise<Marks & { counterpart: Marks }> => {
  const { delivered_seq, read_seq, counterpart } = await person.data<ConnectionObject>('booking.join', {
    booking_id,
  });
  return {
    delivered_seq,
    read_seq,
    counterpart: { delivered_seq: counterpart.delivered_seq, read_seq: counterpart.read_seq },
  };
};

test('marks only grow, are clipped to the head, and reading implies delivery', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const mark = (marks: Partial<Marks>) => customer.data<Marks>('receipt.mark', { booking_id, ...marks });
  expect(await mark({ read_seq: 5 })).toEqual({ delivered_seq: 0, read_seq: 0 });
  for (let n = 1; n <= 4; n += 1) await driver.send(booking_id, `${n}`);
  expect(await mark({ delivered_seq: 2 })).toEqual({ delivered_seq: 2, read_seq: 0 });
  expect(await mark({ read_seq: 1 })).toEqual({ delivered_seq: 2, read_seq: 1 });
  expect(await mark({ delivered_seq: 1 })).toEqual({ delivered_seq: 2, read_seq: 1 });
  expect(await mark({ read_seq: 3 })).toEqual({ delivered_seq: 3, read_seq: 3 });
  expect(await mark({ read_seq: 0, delivered_seq: 0 })).toEqual({ delivered_seq: 3, read_seq: 3 });
  expect(await mark({ delivered_seq: Number.MAX_SAFE_INTEGER })).toEqual({ delivered_seq: 4, read_seq: 3 });
  expect((await customer.error('receipt.mark', { booking_id })).code).toBe('invalid');
  expect(await seatOf(driver, booking_id)).toEqual({
    delivered_seq: 4,
    read_seq: 4,
    counterpart: { delivered_seq: 4, read_seq: 3 },
  });
  expect(await seatOf(customer, booking_id)).toEqual({
    delivered_seq: 4,
    read_seq: 3,
    counterpart: { delivered_seq: 4, read_seq: 4 },
  });
  driver.leave();
  customer.leave();
});

test("a move is told once, to the other party and to the reader's own other sockets; a mark that moves nothing is not", async () => {
  const { booking_id, driver, customer } = await pair(server);
  const tablet = await Person.connect(server, await server.token('customer', `${booking_id}-customer`));
  await driver.send(booking_id, 'one');
  await driver.send(booking_id, 'two');
  await customer.data('receipt.mark', { booking_id, read_seq: 1 });
  await customer.data('receipt.mark', { booking_id, read_seq: 1 });
  await customer.data('receipt.mark', { booking_id, delivered_seq: 1 });
  await customer.data('receipt.mark', { booking_id, read_seq: 2 });
  const marks = (person: Person) =>
    person.told<Receipt>('receipt.updated').map(({ delivered_seq, read_seq }) => [delivered_seq, read_seq]);
  for (const person of [driver, tablet]) {
    const told = await person.hears<Receipt>('receipt.updated', (receipt) => receipt.read_seq === 2);
    expect(told).toEqual({
      booking_id,
      user_id: `${booking_id}-customer`,
      scope: 'customer',
      delivered_seq: 2,
      read_seq: 2,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(marks(person)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  }
  // The asking socket has the answer; whatever was told to it would be here before this event.
  await driver.send(booking_id, 'three');
  await customer.hears<{ message: { seq: number } }>('message.created', ({ message }) => message.seq === 3);
  expect(marks(customer)).toEqual([]);
  for (const person of [driver, customer, tablet]) person.leave();
});

test('sending marks what came before as delivered and read for the sender', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.send(booking_id, 'one');
  await driver.send(booking_id, 'two');
  await customer.send(booking_id, 'three');
  const told = await driver.hears<Receipt>('receipt.updated', (receipt) => receipt.scope === 'customer');
  expect(told).toMatchObject({ user_id: `${booking_id}-customer`, delivered_seq: 3, read_seq: 3 });
  expect(await seatOf(driver, booking_id)).toEqual({
    delivered_seq: 2,
    read_seq: 2,
    counterpart: { delivered_seq: 3, read_seq: 3 },
  });
  expect(await customer.data<Marks>('receipt.mark', { booking_id, read_seq: 1 })).toEqual({
    delivered_seq: 3,
    read_seq: 3,
  });
  driver.leave();
  customer.leave();
});

test('many marks at once by both end at the highest, and nothing deadlocks', async () => {
  const { booking_id, driver, customer } = await pair(server);
  for (let n = 1; n <= 10; n += 1) await (n % 2 === 0 ? driver : customer).send(booking_id, `${n}`);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      (n % 2 === 0 ? driver : customer).data<Marks>('receipt.mark', { booking_id, read_seq: (n * 7) % 11 }),
    ),
  );
  for (const { delivered_seq, read_seq } of answers) expect(read_seq).toBeLessThanOrEqual(delivered_seq);
  expect(await seatOf(driver, booking_id)).toEqual({
    delivered_seq: 10,
    read_seq: 10,
    counterpart: { delivered_seq: 10, read_seq: 10 },
  });
  driver.leave();
  customer.leave();
});
