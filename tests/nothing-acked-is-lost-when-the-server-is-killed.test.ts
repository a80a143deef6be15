import type { Answer, MessageObject } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

type Sent = { message: MessageObject; duplicate: boolean };

const KILLS = 20;
const AT_ONCE = 16;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

/** Sends without an end, several at once; `acked` holds what was promised, `open` what was not answered. */
function pump(
  person: Person,
  booking_id: string,
  acked: Map<string, MessageObject>,
  open: Map<string, string>,
) {
  const next = (): void => {
    const client_id = crypto.randomUUID();
    const text = `words of ${client_id}`;
    open.set(client_id, text);
    person.socket.emit(
      'message.send',
      { booking_id, client_id, kind: 'text', body: { text } },
      (answer: Answer<Sent>) => {
        if (!answer.data) throw new Error(`not stored: ${JSON.stringify(answer.error)}`);
        open.delete(client_id);
        acked.set(client_id, answer.data.message);
        next();
      },
    );
  };
  for (let n = 0; n < AT_ONCE; n += 1) next();
}

test(`after each of ${KILLS} kills in the middle of sends, every acked message is there, once`, async () => {
  const booking_id = await server.booking();
  const tokens = {
    driver: await server.token('driver', `${booking_id}-driver`),
    customer: await server.token('customer', `${booking_id}-customer`),
  };
  const acked = new Map<string, MessageObject>();
  const open = { driver: new Map<string, string>(), customer: new Map<string, string>() };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = acked.size;
    const people = {
      driver: await Person.connect(server, tokens.driver),
      customer: await Person.connect(server, tokens.customer),
    };
    for (const scope of ['driver', 'customer'] as const) {
      // What the last kill left without an answer is repeated first, as a client's outbox does.
      const unanswered = [...open[scope]];
      for (const [client_id, text] of unanswered) {
        const sent = await people[scope].send(booking_id, text, client_id);
        open[scope].delete(client_id);
        acked.set(client_id, sent.message as unknown as MessageObject);
      }
      pump(people[scope], booking_id, acked, open[scope]);
    }
    // A different moment each time, always while messages flow.
    const enough = before + 20 + ((kill * 37) % 150);
    await people.customer.hears<{ message: MessageObject }>('message.created', () => acked.size >= enough);
    await server.kill();
    people.driver.leave();
    people.customer.leave();
    await server.up();
  }

  const reader = await Person.connect(server, tokens.customer);
  const log: MessageObject[] = [];
  for (;;) {
    const page = await reader.data<{ messages: MessageObject[]; has_more: boolean }>('message.list', {
      booking_id,
      after_seq: log.length,
      limit: 200,
    });
    log.push(...page.messages);
    if (!page.has_more) break;
  }
  reader.leave();
  expect(log.map((message) => message.seq)).toEqual(log.map((_, index) => index + 1));
  const byClientId = new Map(log.map((message) => [message.client_id, message]));
  expect(byClientId.size).toBe(log.length);
  for (const [client_id, message] of acked) expect(byClientId.get(client_id)).toEqual(message);
  // What was stored and never answered may be there too, and nothing else.
  for (const message of log) {
    const { client_id } = message;
    expect(acked.has(client_id) || open.driver.has(client_id) || open.customer.has(client_id)).toBe(true);
  }
  expect(acked.size).toBeGreaterThan(KILLS * 20);
}, 600_000);
