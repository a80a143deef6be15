// A process that says things through the SDK with an outbox in a file, until it is killed.
// Arguments: url, token, booking, outbox file, first number, how many to say.
import { createClient } from '@curbline/client';
import { fileOutbox } from '@curbline/client/node';

const [url = '', token = '', bookingId = '', path = '', first = '0', count = '0'] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const file = fileOutbox(path);
const chat = createClient({
  url,
  token,
  reconnectMs: { min: 50, max: 300 },
  outbox: {
    ...file,
    put: async (entry) => {
      await file.put(entry);
      print(`kept ${JSON.stringify(entry.body)}`);
    },
  },
});
const booking = chat.booking(bookingId);
await booking.join();
print(`found ${booking.messages.filter(({ state }) => state === 'queued').length}`);
for (let n = Number(first); n < Number(first) + Number(count); n += 1) {
  void booking.send({ text: `n${n}` }).then(({ message }) => print(`stored ${JSON.stringify(message.body)}`));
  // As fast as a hurried person, so that a kill finds some stored, some on the way, some only kept.
  await new Promise((resolve) => setTimeout(resolve, 4));
}
const empty = (): boolean => booking.messages.every(({ seq }) => seq !== undefined);
if (!empty()) {
  await new Promise<void>((resolve) => {
    booking.on('change', () => empty() && resolve());
  });
}
await chat.close();
print('empty');
