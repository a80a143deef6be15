import { io, type Socket } from 'socket.io-client';
import type { Random } from '../rig/random.ts';
import { sleep, until } from '../rig/shell.ts';
import { LogView, type Message } from './log-view.ts';
import type { Recorder } from './recorder.ts';
import type { Client, ClientSpec } from './spec.ts';
import { words } from './words.ts';

interface Answer {
  data?: Record<string, unknown>;
  error?: { code: string; retryable: boolean; retry_after_ms?: number };
}

/** A socket with the number of its connection. */
type Linked = Socket & { link: number };

interface Saying {
  booking_id: string;
  client_id: string;
  text: string;
  /** Request that is under way for it. */
  asked: number | undefined;
  notBefore: number;
}

const ACK = 3;
const IN_FLIGHT = 6;
const PATIENCE_MS = 6_000;
const CHECK_EVERY_MS = 1_500;
const PAGE = 40;

/** A client without the SDK: plain Socket.IO, repeats with the same `client_id`, applies `seq`. */
export class RawClient implements Client {
  readonly #spec: ClientSpec;
  readonly #life: number;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #views = new Map<string, LogView>();
  #socket: Linked | undefined;
  #link = 0;
  #requests = 0;
  #said = 0;
  #open: Saying[] = [];
  #talking = true;
  #ended = false;

  constructor(spec: ClientSpec, life: number, recorder: Recorder, random: Random) {
    this.#spec = spec;
    this.#life = life;
    this.#recorder = recorder;
    this.#random = random;
    for (const id of spec.bookings)
      this.#views.set(id, new LogView(id, (seen) => recorder.write('seen', { ...seen })));
  }

  async start(): Promise<void> {
    void this.#stayConnected();
    if (this.#spec.everyMs > 0) void this.#talk();
    void this.#work();
  }

  async drain(): Promise<void> {
    this.#talking = false;
    await until(() => this.#open.length === 0, 60_000, 50);
    this.#recorder.write('drained', { open: this.#open.map(({ client_id }) => client_id) });
  }

  async end(heads: Record<string, number>, withinMs: number): Promise<void> {
    const whole = (): boolean => [...this.#views].every(([id, view]) => view.position >= (heads[id] ?? 0));
    await until(whole, withinMs, 50);
    // Answers and events that are one too many would still come.
    await sleep(300);
    this.#recorder.write('final', {
      positions: Object.fromEntries([...this.#views].map(([id, view]) => [id, view.position])),
    });
    this.#ended = true;
    this.#socket?.disconnect();
  }

  async #stayConnected(): Promise<void> {
    while (!this.#ended) {
      await this.#connection();
      await sleep(50 + this.#random.whole(0, 400));
    }
  }

  /** One connection from its first packet to its end. */
  async #connection(): Promise<void> {
    const { url, token, transport } = this.#spec;
    const link = (this.#link += 1);
    const opened = io(url, {
      auth: { token, type: 'chaos' },
      transports: [transport],
      forceNew: true,
      reconnection: false,
      timeout: 5_000,
    });
    const socket: Linked = Object.assign(opened, { link });
    const note = (what: string, more: Record<string, unknown> = {}): void =>
      this.#recorder.write(what, { link, ...more });
    socket.io.on('ping', () => note('alive'));
    // Counted below the callbacks, which Socket.IO calls only once.
    socket.io.on(
      'packet' as never,
      ((packet: { type: number; id?: number }) => {
        if (packet.type === ACK) note('ack', { id: packet.id });
      }) as never,
    );
    socket.on('message.created', ({ booking_id, message }: { booking_id: string; message: Message }) => {
      note('told', { booking_id, message });
      this.#hear(booking_id, [message]);
    });
    await new Promise<void>((resolve) => {
      socket.on('connect_error', () => resolve());
      socket.on('disconnect', (reason) => {
        note('down', { reason });
        resolve();
      });
      socket.on('connect', () => {
        note('up');
        this.#socket = socket;
        for (const saying of this.#open) saying.asked = undefined;
        for (const id of this.#views.keys()) void this.#join(socket, id);
      });
    });
    if (this.#socket === socket) this.#socket = undefined;
    socket.disconnect();
  }

  /** Sends a command; its answer, or undefined when none came while the connection and our patience lasted. */
  #ask(socket: Linked, cmd: string, payload: Record<string, unknown>): Promise<Answer | undefined> {
    if (!socket.connected) return Promise.resolve(undefined);
    const request = (this.#requests += 1);
    const { link } = socket;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
      const down = (): void => {
        clearTimeout(timer);
        resolve(undefined);
      };
      socket.once('disconnect', down);
      // The id that Socket.IO gives this packet, under which its ack is counted.
      const { ids: id } = socket as unknown as { ids: number };
      this.#recorder.write('asked', { link, request, id, cmd, payload });
      socket.emit(cmd, payload, (answer: Answer) => {
        this.#recorder.write('answered', { link, request, ...answer });
        clearTimeout(timer);
        socket.off('disconnect', down);
        resolve(answer);
      });
    });
  }

  async #join(socket: Linked, booking_id: string): Promise<void> {
    const after_seq = this.#views.get(booking_id)?.position ?? 0;
    for (const name of ['connection-established', 'message.list']) {
      const limit = name === 'message.list' ? { limit: PAGE } : {};
      const answer = await this.#ask(socket, name, { booking_id, after_seq, ...limit });
      const messages = answer?.data?.['messages'] as Message[] | undefined;
      if (messages) return this.#hear(booking_id, messages);
      if (!socket.connected) return;
      await sleep(200);
    }
  }

  #hear(booking_id: string, messages: Message[]): void {
    const view = this.#views.get(booking_id);
    if (!view) return;
    for (const message of messages) view.hear(message);
    if (view.behind) void this.#catchUp(view);
  }

  async #catchUp(view: LogView): Promise<void> {
    if (view.reading) return;
    view.reading = true;
    for (let socket = this.#socket; socket?.connected; socket = this.#socket) {
      const answer = await this.#ask(socket, 'message.list', {
        booking_id: view.id,
        after_seq: view.position,
        limit: PAGE,
      });
      for (const message of (answer?.data?.['messages'] as Message[] | undefined) ?? []) view.hear(message);
      if (answer?.data && !answer.data['has_more'] && !view.behind) break;
      await sleep(answer?.data ? 5 : 200);
    }
    view.reading = false;
  }

  async #talk(): Promise<void> {
    const { name, bookings, everyMs } = this.#spec;
    while (this.#talking && !this.#ended) {
      await sleep(everyMs * (0.25 + 1.5 * this.#random.next()));
      if (this.#open.length >= 200) continue;
      const text = words(name, this.#life, (this.#said += 1), this.#random);
      const saying = {
        booking_id: this.#random.pick(bookings),
        client_id: crypto.randomUUID(),
        text,
        asked: undefined,
        notBefore: 0,
      };
      this.#recorder.write('said', { booking_id: saying.booking_id, client_id: saying.client_id, text });
      this.#open.push(saying);
    }
  }

  /** Keeps a few requests under way, oldest first, and looks from time to time for what was missed. */
  async #work(): Promise<void> {
    for (let looked = 0; !this.#ended; await sleep(10)) {
      const socket = this.#socket;
      if (!socket?.connected) continue;
      if (performance.now() - looked > CHECK_EVERY_MS) {
        looked = performance.now();
        void this.#sync(socket);
      }
      const busy = this.#open.filter(({ asked }) => asked !== undefined).length;
      const next = this.#open.filter(
        ({ asked, notBefore }) => asked === undefined && notBefore <= performance.now(),
      );
      for (const saying of next.slice(0, Math.max(0, IN_FLIGHT - busy))) void this.#send(socket, saying);
    }
  }

  async #sync(socket: Linked): Promise<void> {
    const wanted = [...this.#views.values()].map((view) => ({
      booking_id: view.id,
      after_seq: view.position,
    }));
    const answer = await this.#ask(socket, 'sync', { bookings: wanted });
    const found = answer?.data?.['bookings'] as
      | { booking_id: string; messages?: Message[]; has_more?: boolean }[]
      | undefined;
    for (const { booking_id, messages, has_more } of found ?? []) {
      this.#hear(booking_id, messages ?? []);
      const view = this.#views.get(booking_id);
      if (has_more && view) void this.#catchUp(view);
    }
  }

  async #send(socket: Linked, saying: Saying): Promise<void> {
    const { booking_id, client_id, text } = saying;
    const mine = this.#requests + 1;
    saying.asked = mine;
    const answer = await this.#ask(socket, 'message.send', {
      booking_id,
      client_id,
      kind: 'text',
      body: { text },
    });
    if (saying.asked !== mine) return;
    saying.asked = undefined;
    if (answer?.data) {
      this.#open = this.#open.filter((one) => one !== saying);
      this.#hear(booking_id, [answer.data['message'] as Message]);
      void this.#tease(saying);
    } else if (answer?.error && !answer.error.retryable) {
      this.#open = this.#open.filter((one) => one !== saying);
    } else if (answer?.error) {
      saying.notBefore = performance.now() + (answer.error.retry_after_ms ?? 300);
    }
  }

  /** Some answered messages are sent once more, and a few with other words under the same `client_id`. */
  async #tease({ booking_id, client_id, text }: Saying): Promise<void> {
    if (!this.#random.chance(0.1)) return;
    await sleep(this.#random.whole(0, 3_000));
    await until(() => this.#socket?.connected === true, 10_000, 50);
    const socket = this.#socket;
    if (!socket?.connected || !this.#talking) return;
    const other = this.#random.chance(0.2) ? `${text} (changed)` : text;
    await this.#ask(socket, 'message.send', { booking_id, client_id, kind: 'text', body: { text: other } });
  }
}
