import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Booking } from './booking.js';
import { ChatClient } from './chat-client.js';
import type { CurblineError } from './curbline-error.js';
import { ModelDisk, ModelServer, type ModelSocket } from './server-model.js';
import type { Sent } from './types.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  // Jitter off: a found counterexample can be replayed.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

// Weighted so that most runs connect and talk: a script that never gets through would prove nothing.
const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ do: fc.constant('flow' as const), rounds: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), device: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('other says' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('serve' as const), device: fc.nat(1), count: fc.nat(3) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), device: fc.nat(1), count: fc.nat(3) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 30, 600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constant(11_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), device: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), device: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose event' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat event' as const), device: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('swap events' as const), device: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      code: fc.constantFrom('unavailable', 'rate_limited', 'internal'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail a sync' as const),
      part: fc.constantFrom('whole' as const, 'entry' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server restarts' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A phone of the person `me`: what its app has kept survives a crash, and so does its disk. */
class Device {
  readonly told: number[] = [];
  readonly said: string[] = [];
  readonly stored: Sent[] = [];
  readonly failed: CurblineError[] = [];
  readonly #server: ModelServer;
  readonly #name: string;
  readonly disk = new ModelDisk();
  readonly #diskMs: number;
  socket!: ModelSocket;
  client!: ChatClient;
  booking!: Booking;
  #store!: ReturnType<ModelDisk['store']>;
  #said = 0;

  constructor(server: ModelServer, name: string, diskMs: number) {
    this.#server = server;
    this.#name = name;
    this.#diskMs = diskMs;
    this.start();
  }

  start(): void {
    this.#store = this.disk.store(this.#diskMs);
    const open = () => (this.socket = this.#server.socket('me'));
    this.client = new ChatClient(
      { url: 'model:', token: 't', user: { user_id: 'me', scope: 'customer' }, outbox: this.#store },
      open,
    );
    const { client } = this;
    this.booking = client.booking('B');
    this.booking.on('message.created', ({ seq }) => {
      if (this.client === client) this.told.push(seq);
    });
    this.booking.join({ after_seq: this.told.at(-1) ?? 0 }).catch(() => undefined);
  }

  say(): void {
    const text = `${this.#name}${(this.#said += 1)}`;
    const { client } = this;
    const sent = this.booking.send({ text });
    this.said.push(text);
    sent.then(
      (result) => client === this.client && this.stored.push(result),
      (error: CurblineError) => client === this.client && this.failed.push(error),
    );
  }

  /** `kill -9`, then a new start from the disk. */
  crash(): void {
    this.#store.die();
    this.socket?.disconnect();
    // The dead process's timers still run in this test: nothing they do may reach anyone.
    this.client.pause();
    this.start();
  }
}

class World {
  readonly server = new ModelServer();
  readonly devices: [Device, Device];
  #others = 0;

  constructor(diskMs: number) {
    this.devices = [new Device(this.server, 'a', diskMs), new Device(this.server, 'b', diskMs)];
  }

  async run(action: Step): Promise<void> {
    const device = 'device' in action ? this.devices[action.device === 0 ? 0 : 1] : this.devices[0];
    const queue = device.socket?.toClient ?? [];
    const first = queue.findIndex(({ event }) => event === 'message.created');
    if (action.do === 'flow') await this.#flow(action.rounds);
    else if (action.do === 'send') device.say();
    else if (action.do === 'other says') this.#otherSays();
    else if (action.do === 'serve') for (let n = action.count; n >= 0; n -= 1) device.socket?.serve();
    else if (action.do === 'cut') device.socket?.cut();
    else if (action.do === 'crash') device.crash();
    else if (action.do === 'lose event') this.server.lostEvents += 1;
    else if (action.do === 'refuse') this.server.refusals.push({ code: action.code, retryable: true });
    else if (action.do === 'fail a sync') this.server.failedSyncs.push(action.part);
    else if (action.do === 'server restarts') for (const socket of this.server.sockets) socket.cut();
    else if (action.do === 'repeat event' && first >= 0)
      queue.splice(first, 0, structuredClone(queue[first] ?? {}));
    else if (action.do === 'swap events' && first >= 0) queue.push(...queue.splice(first, 1));
    else if (action.do === 'deliver') {
      for (let n = action.count; n >= 0; n -= 1) {
        device.socket?.deliver();
        await vi.advanceTimersByTimeAsync(0);
      }
    }
    await vi.advanceTimersByTimeAsync(action.do === 'wait' ? action.ms : 0);
  }

  /** The network is good again, and time passes. */
  async settle(): Promise<void> {
    this.server.refusals = [];
    this.server.failedSyncs = [];
    this.server.lostEvents = 0;
    for (let round = 0; round < 40; round += 1) {
      for (const { socket } of this.devices) {
        while (socket?.open && socket.toServer.length + socket.toClient.length > 0) {
          socket.serve();
          socket.deliver();
          await vi.advanceTimersByTimeAsync(0);
        }
      }
      // Past ack timeouts, longest pauses and the check for lost events.
      await vi.advanceTimersByTimeAsync(5_000);
    }
  }

  /** The network works for a while: packets pass on both lines, one at a time. */
  async #flow(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const { socket } of this.devices) {
        socket?.serve();
        socket?.deliver();
        await vi.advanceTimersByTimeAsync(1);
      }
    }
  }

  #otherSays(): void {
    this.#others += 1;
    const text = `other${this.#others}`;
    this.server.append('other', { client_id: text, kind: 'text', body: { text } });
  }
}

const textOf = ({ body }: { body: unknown }): string => (body as { text: string }).text;

const check = ({ server, devices }: World): void => {
  const { log } = server;
  const texts = log.map(textOf);
  expect(new Set(log.map(({ client_id }) => client_id)).size, 'no client_id twice').toBe(log.length);
  expect(new Set(texts).size, 'nothing said once is stored twice').toBe(texts.length);
  for (const device of devices) {
    expect(device.told, 'told once, in order, without a gap').toEqual(log.map(({ seq }) => seq));
    expect([...device.disk.entries.keys()], 'the outbox is empty').toEqual([]);
    expect(device.failed, 'nothing failed').toEqual([]);
    for (const { message } of device.stored) expect(log).toContainEqual(message);
    const own = texts.filter((text) => device.said.includes(text));
    expect(own, "the sender's order is kept").toEqual(device.said.filter((text) => own.includes(text)));
    const shown = device.booking.messages;
    expect(
      shown.map(({ seq }) => seq),
      'the screen shows the end of the log',
    ).toEqual(log.map(({ seq }) => seq).slice(log.length - shown.length));
    expect(shown.every(({ state }) => state !== 'queued' && state !== 'failed')).toBe(true);
  }
};

test('any interleaving of cuts, answers, repeats, events and crashes: once, in order, no gap', async () => {
  const runs = Number(process.env['SDK_RUNS'] ?? 300);
  let storedOnTheWay = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }),
      fc.constantFrom(0, 5),
      async (steps, diskMs) => {
        const world = new World(diskMs);
        for (const action of steps) await world.run(action);
        storedOnTheWay += world.server.log.filter(({ sender }) => sender.user_id === 'me').length;
        await world.settle();
        check(world);
        for (const { client } of world.devices) await client.close();
        vi.clearAllTimers();
      },
    ),
    { numRuns: runs },
  );
  expect(storedOnTheWay / runs, 'the faults met messages that were on their way').toBeGreaterThan(2);
}, 120_000);

test('without a crash, nothing that was said is missing', async () => {
  const calm = step.filter((action) => action.do !== 'crash');
  await fc.assert(
    fc.asyncProperty(fc.array(calm, { minLength: 20, maxLength: 120, size: 'max' }), async (steps) => {
      const world = new World(0);
      for (const action of steps) await world.run(action);
      await world.settle();
      check(world);
      for (const device of world.devices) {
        expect(device.stored).toHaveLength(device.said.length);
        await device.client.close();
      }
      vi.clearAllTimers();
    }),
    { numRuns: 150 },
  );
}, 120_000);
