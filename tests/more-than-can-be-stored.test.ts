import { afterAll, beforeAll, expect, test } from 'vitest';
import { frame, RawLink } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';

const DRIVERS = 40;
const EACH = 1_000;
const LIMIT_MS = 60_000;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

test('twice as many messages as the server takes in wait in the network: each is stored, none is refused', async () => {
  const senders = await Promise.all(
    Array.from({ length: DRIVERS }, async () => {
      const bookingId = await server.booking();
      const link = await RawLink.open(server.url, await server.token('driver', `${bookingId}-driver`));
      const messages = Array.from({ length: EACH }, (_, id) =>
        frame(
          `42${id}["message.send",${JSON.stringify({
            booking_id: bookingId,
            client_id: crypto.randomUUID(),
            kind: 'text',
            body: { text: `number ${id}` },
          })}]`,
        ),
      );
      return { link, messages: Buffer.concat(messages) };
    }),
  );
  await Promise.all(senders.map(({ link, messages }) => link.write(messages)));
  for (const { link } of senders) {
    const answers = () => link.heard.filter((text) => text.startsWith('43'));
    await link.until(() => answers().length === EACH, LIMIT_MS);
    expect(answers().filter((text) => !text.includes('[{"data":'))).toEqual([]);
    const seqs = answers().map((text) => Number(/"seq":(\d+)/.exec(text)?.[1]));
    expect(seqs).toEqual(Array.from({ length: EACH }, (_, index) => index + 1));
    link.end();
  }
}, 120_000);
