import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leaveOut } from './harness/left-out.js';
import { Person } from './harness/people.js';
import { Program } from './harness/program.js';
import { pythonSocketio } from './harness/reachable.js';
import { TestServer } from './harness/server.js';

const python = pythonSocketio();
if (python === undefined) {
  leaveOut('the Python client', 'no python3 with socketio, requests and websocket (apt: python3-socketio)');
}

describe.skipIf(python === undefined)('a Python client', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  const client = (...args: string[]) =>
    Program.start(python ?? '', ['examples/python-client/client.py', '--url', server.url, ...args]);

  test.each(['websocket', 'polling'])('joins, sends and hears over %s', async (transport) => {
    const booking_id = await server.booking();
    const driver = await Person.connect(server, await server.token('driver', `${booking_id}-driver`));
    await driver.data('booking.join', { booking_id });

    const token = await server.token('customer', `${booking_id}-customer`);
    const text = 'मैं गेट पर हूँ 🚕';
    const options = ['--booking', booking_id, '--token', token, '--text', text, '--transport', transport];
    const customer = client(...options, '--listen', '20');

    expect(await customer.tells('create-connection')).toMatchObject({ user_detail: { scope: 'driver' } });
    expect(await customer.says('joined,')).toBe(`the other one is Name of ${booking_id}-driver`);
    expect(await customer.says('stored as')).toBe('1');
    const heard = await driver.hears<{ message: { seq: number; body: object } }>('message.created');
    expect(heard.message).toMatchObject({ seq: 1, sender: { scope: 'customer' }, body: { text } });

    await driver.send(booking_id, 'two minutes');
    expect(await customer.tells('message.created')).toMatchObject({
      message: { seq: 2, sender: { scope: 'driver' }, body: { text: 'two minutes' } },
    });
    driver.leave();
    await customer.stop();
  });

  test('without options it is the customer of the demo, and leaves by itself', async () => {
    const customer = client('--listen', '0.2');
    expect(await customer.exit()).toBe(0);
    expect(customer.output).toContain('joined, the other one is Arjun S.');
    expect(await customer.says('stored as')).toBe('1');
  });

  test('an error is one object in the callback', async () => {
    const token = await server.token('driver', 'a-stranger');
    const stranger = client('--booking', 'no-such-booking', '--token', token);
    await stranger.says('not_found:');
    expect(await stranger.exit()).toBe(1);
  });
});
