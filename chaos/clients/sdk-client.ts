import { join } from 'node:path';
import { createClient, type ChatClient, type OutboxStore } from '@curbline/client';
import { fileOutbox } from '@curbline/client/node';
import type { Random } from '../rig/random.ts';
import { sleep, until } from '../rig/shell.ts';
import type { Recorder } from './recorder.ts';
import type { Client, ClientSpec } from './spec.ts';
import { words } from './words.ts';

/** A client on the SDK with an outbox in a file, which outlives its process. */
export class SdkClient implements Client {
  readonly #spec: ClientSpec;
  readonly #life: number;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #chat: ChatClient;
  /** client_ids that the outbox holds. */
  readonly #kept = new Set<string>();
  readonly #positions = new Map<string, number>();
  #waiting = 0;
  #said = 0;
  #talking = true;

  constructor(spec: ClientSpec, life: number, recorder: Recorder, random: Random, folder: string) {
    this.#spec = spec;
    this.#life = life;
    this.#recorder = recorder;
    this.#random = random;
    this.#chat = createClient({
      url: spec.url,
      token: spec.token,
      user: spec.person,
      type: 'chaos',
      transports: [spec.transport],
      outbox: this.#recorded(fileOutbox(join(folder, `${spec.name}.outbox`))),
      ackTimeoutMs: 5_000,
      reconnectMs: { min: 100, max: 1_500 },
      checkEveryMs: 2_000,
    });
  }

  async start(): Promise<void> {
    const { bookings, everyMs } = this.#spec;
    const note = (what: string, more: Record<string, unknown>): void => this.#recorder.write(what, more);
    this.#chat.on('state', (state) => note('state', { state }));
    this.#chat.on('error', ({ code, message }) => note('trouble', { code, message }));
    this.#chat.on('message.created', (event) => note('told', { ...event }));
    void this.#chat.connect().catch((error: unknown) => note('refused', { error: String(error) }));
    for (const id of bookings) {
      const booking = this.#chat.booking(id);
      booking.on('message.created', (message) => {
        this.#positions.set(id, message.seq);
        note('seen', { booking_id: id, message });
      });
      booking.on('error', ({ code, message }) => note('trouble', { booking_id: id, code, message }));
      void this.#join(id);
    }
    if (everyMs > 0) void this.#talk();
  }

  async drain(): Promise<void> {
    this.#talking = false;
    await until(() => this.#waiting === 0 && this.#kept.size === 0, 60_000, 50);
    this.#recorder.write('drained', { open: [...this.#kept], waiting: this.#waiting });
  }

  async end(heads: Record<string, number>, withinMs: number): Promise<void> {
    const at = (id: string): number => this.#positions.get(id) ?? 0;
    await until(() => this.#spec.bookings.every((id) => at(id) >= (heads[id] ?? 0)), withinMs, 50);
    await sleep(300);
    this.#recorder.write('final', {
      positions: Object.fromEntries(this.#spec.bookings.map((id) => [id, at(id)])),
    });
    await this.#chat.close();
  }

  /** `join` gives up after some retryable failures; a person would try again. */
  async #join(id: string): Promise<void> {
    for (;;) {
      try {
        await this.#chat.booking(id).join({ after_seq: 0 });
        return;
      } catch (error) {
        const { code } = error as { code?: string };
        this.#recorder.write('trouble', { booking_id: id, code, message: `join: ${String(error)}` });
        await sleep(500);
      }
    }
  }

  async #talk(): Promise<void> {
    const { name, bookings, everyMs } = this.#spec;
    while (this.#talking) {
      await sleep(everyMs * (0.25 + 1.5 * this.#random.next()));
      if (this.#waiting >= 200 || !this.#talking) continue;
      const booking_id = this.#random.pick(bookings);
      const text = words(name, this.#life, (this.#said += 1), this.#random);
      this.#waiting += 1;
      this.#recorder.write('said', { booking_id, text });
      void this.#chat
        .booking(booking_id)
        .send({ text })
        .then(
          ({ message, duplicate }) => this.#recorder.write('acked', { booking_id, message, duplicate }),
          (error: { code: string }) => this.#recorder.write('failed', { booking_id, text, code: error.code }),
        )
        .finally(() => (this.#waiting -= 1));
    }
  }

  #recorded(store: OutboxStore): OutboxStore {
    const note = (client_id: string, what: string, more: Record<string, unknown> = {}): void =>
      this.#recorder.write(what, { client_id, ...more });
    return {
      ...store,
      load: async (owner) => {
        const entries = await store.load(owner);
        for (const { client_id } of entries) this.#kept.add(client_id);
        this.#recorder.write('loaded', { client_ids: entries.map(({ client_id }) => client_id) });
        return entries;
      },
      put: async (entry) => {
        await store.put(entry);
        this.#kept.add(entry.client_id);
        note(entry.client_id, 'kept', {
          booking_id: entry.booking_id,
          text: (entry.body as { text: string }).text,
        });
      },
      remove: async (client_id) => {
        await store.remove(client_id);
        this.#kept.delete(client_id);
        note(client_id, 'removed');
      },
    };
  }
}
