import type { ConnectionObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { Program } from './harness/program.js';
import { TestServer } from './harness/server.js';

const CLIENT = 'examples/tutorial-client/client.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const client = (...args: string[]) => Program.start('node', [CLIENT, '--url', server.url, ...args]);

test("a driver and a customer with the tutorial's client find each other", async () => {
  const booking = await server.booking();
  const start = async (scope: 'driver' | 'customer') =>
    client('--booking', booking, '--token', await server.token(scope, `${booking}-${scope}`));

  const driver = await start('driver');
  const drivers = await driver.tells<ConnectionObject>('create-connection');
  expect(drivers.booking).toBe(booking);
  expect(drivers.user_detail).toMatchObject({ _id: `${booking}-customer`, scope: 'customer' });

  const customer = await start('customer');
  const customers = await customer.tells<ConnectionObject>('create-connection');
  expect(customers.user_detail).toMatchObject({ _id: `${booking}-driver`, scope: 'driver' });
  expect(customers.response).toBe(drivers.response);

  const { body } = await server.rest<{ connection_id: string; driver: object; customer: object }>(
    'GET',
    `/v1/bookings/${booking}`,
  );
  // In the tutorial the second of the two records was never linked.
  expect(body).toMatchObject({
    connection_id: drivers.response,
    driver: { connection_id: drivers.response },
    customer: { connection_id: drivers.response },
  });
  await Promise.all([driver.stop(), customer.stop()]);
});

test('its query type stays with the socket, for the other one to see', async () => {
  const booking_id = await server.booking();
  const customer = await Person.connect(server, await server.token('customer', `${booking_id}-customer`));
  await customer.data('booking.join', { booking_id });
  const driver = client(
    '--booking',
    booking_id,
    '--token',
    await server.token('driver', `${booking_id}-driver`),
  );
  const presence = await customer.hears<{ online: boolean; types: string[] }>('presence.updated');
  expect(presence).toMatchObject({ online: true, types: ['flutter'] });
  await driver.stop();
  customer.leave();
});

test('without options it is one of the two people of the demo', async () => {
  const customer = client('--as', 'customer');
  const { user_detail } = await customer.tells<ConnectionObject>('create-connection');
  expect(user_detail).toMatchObject({ scope: 'driver', name: 'Arjun S.' });
  await customer.stop();
});

test('a command that fails is told to it, although it takes no callbacks', async () => {
  const stranger = client(
    '--booking',
    'no-such-booking',
    '--token',
    await server.token('driver', 'a-stranger'),
  );
  const exception = await stranger.tells<{ command: string; error: { code: string } }>('exception');
  expect(exception).toMatchObject({ command: 'connection-established', error: { code: 'not_found' } });
  expect(stranger.output).not.toContain('create-connection');
  await stranger.stop();
});

test("the tutorial's own token is refused: it is not a JWT", async () => {
  const guest = client('--booking', 'b-1', '--token', 'abcd1234');
  const refused = await guest.tells<{ error: { code: string } }>('connect_error');
  expect(refused.error.code).toBe('unauthenticated');
  expect(guest.output).not.toContain('connected\n');
  await guest.stop();
});

test('it hears `disconnected` while it still can, unlike in the tutorial, and comes back by itself', async () => {
  const booking = await server.booking();
  const driver = client('--booking', booking, '--token', await server.token('driver', `${booking}-driver`));
  await driver.says('create-connection');
  await server.kill('SIGTERM');
  const goodbye = await driver.tells<{ reason: string; message: string }>('disconnected');
  expect(goodbye).toMatchObject({ reason: 'shutting_down', message: 'Socket disconnected' });
  driver.output = '';
  await server.up();
  await driver.says('create-connection');
  await driver.stop();
});
