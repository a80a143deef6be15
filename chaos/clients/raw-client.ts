import type { Random } from '../rig/random.ts';
import { sleep, until } from '../rig/shell.ts';
import { LogView, type Message } from './log-view.ts';
import { RawLink, type Answer } from './raw-link.ts';
import type { Recorder } from './recorder.ts';
import { smallTalk } from './small-talk.ts';
import type { Client, ClientSpec } from './spec.ts';
import { words } from './words.ts';

interface Saying {
  booking_id: string;
  client_id: string;
  text: string;
  /** Try that is under way for it. */
  trying: number | undefined;
  notBefore: number;
}

const IN_FLIGHT = 6;
const CHECK_EVERY_MS = 1_500;
const SMALL_TALK_EVERY_MS = 300;
const PAGE = 40;

/** A client without the SDK: plain Socket.IO, repeats with the same `client_id`, applies `seq`. */
export class RawClient implements Client {
  readonly #spec: ClientSpec;
  readonly #life: number;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #views = new Map<string, LogView>();
  #link: RawLink | undefined;
  #links = 0;
  #requests = 0;
  #tries = 0;
  #said = 0;
  #open: Saying[] = [];
  #talking = true;
  #ended = false;

  constructor(spec: ClientSpec, life: number, recorder: Recorder, random: Random) {
    this.#spec = spec;
    this.#life = life;
    this.#recorder = recorder;
    this.#random = random;
    const seat = spec.handover === 'takes' ? 'awaited' : 'held';
    for (const id of spec.bookings)
      this.#views.set(id, new LogView(id, seat, (seen) => recorder.write('seen', { ...seen })));
  }

  async start(): Promise<void> {
    void this.#stayConnected();
    if (this.#spec.everyMs > 0) void this.#talk();
    void this.#smallTalk();
    void this.#work();
  }

  async drain(): Promise<void> {
    this.#talking = false;
    await until(() => this.#open.length === 0, 60_000, 50);
    this.#recorder.write('drained', {
      open: this.#open.map(({ client_id }) => client_id),
      waiting: this.#open.length,
    });
  }

  async end(heads: Record<string, number>, withinMs: number): Promise<void> {
    const whole = (): boolean =>
      [...this.#views].every(([id, view]) => view.seat === 'lost' || view.position >= (heads[id] ?? 0));
    await until(whole, withinMs, 50);
    // Answers and events that are one too many would still come.
    await sleep(300);
    this.#recorder.write('final', {
      positions: Object.fromEntries([...this.#views].map(([id, view]) => [id, view.position])),
    });
    this.#ended = true;
    this.#link?.close();
  }

  async #stayConnected(): Promise<void> {
    while (!this.#ended) {
      const up = (link: RawLink): void => {
        this.#link = link;
        for (const saying of this.#open) saying.trying = undefined;
        for (const view of this.#views.values()) void this.#join(link, view);
      };
      const next = (): number => (this.#requests += 1);
      const link = new RawLink(this.#spec, (this.#links += 1), this.#recorder, next, up);
      link.on<{ booking_id: string; message: Message }>('message.created', ({ booking_id, message }) =>
        this.#hear(booking_id, [message]),
      );
      await link.ended;
      if (this.#link === link) this.#link = undefined;
      link.close();
      await sleep(50 + this.#random.whole(0, 400));
    }
  }

  async #join(link: RawLink, view: LogView): Promise<void> {
    const { id: booking_id } = view;
    if (view.seat === 'lost') return;
    for (const name of ['connection-established', 'message.list']) {
      const limit = name === 'message.list' ? { limit: PAGE } : {};
      const answer = await link.ask(name, { booking_id, after_seq: view.position, ...limit });
      const { from_seq, messages } = (answer?.data ?? {}) as { from_seq?: number; messages?: Message[] };
      if (view.seat === 'awaited' && from_seq !== undefined) {
        this.#recorder.write('seated', { booking_id, from_seq });
        view.sit(from_seq);
      }
      this.#notice(view, answer);
      if (messages) return this.#hear(booking_id, messages);
      if (!link.connected || view.seat !== 'held') return;
      await sleep(200);
    }
  }

  /** Nobody but a driver whose booking is given to another loses a seat. */
  #notice(view: LogView, answer: Answer | undefined): void {
    if (this.#spec.handover !== 'gives' || answer?.error?.code !== 'not_found') return;
    view.seat = 'lost';
    this.#open = this.#open.filter(({ booking_id }) => booking_id !== view.id);
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
    for (let link = this.#link; link?.connected && view.seat === 'held'; link = this.#link) {
      const answer = await link.ask('message.list', {
        booking_id: view.id,
        after_seq: view.position,
        limit: PAGE,
      });
      this.#notice(view, answer);
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
      const booking_id = this.#random.pick(bookings);
      if (!this.#talking || this.#open.length >= 200 || this.#views.get(booking_id)?.seat !== 'held')
        continue;
      const client_id = crypto.randomUUID();
      const text = words(name, this.#life, (this.#said += 1), this.#random);
      this.#recorder.write('said', { booking_id, client_id, text });
      this.#open.push({ booking_id, client_id, text, trying: undefined, notBefore: 0 });
    }
  }

  /** Goes on after the seat is lost: whoever lost it is refused, whatever they ask. */
  async #smallTalk(): Promise<void> {
    const { bookings, token } = this.#spec;
    for (; this.#talking && !this.#ended; await sleep(SMALL_TALK_EVERY_MS * 2 * this.#random.next())) {
      const view = this.#views.get(this.#random.pick(bookings));
      if (!view || view.seat === 'awaited') continue;
      const [cmd, payload] = smallTalk(this.#random, view.id, view.position, token);
      void this.#link?.ask(cmd, payload).then((answer) => this.#notice(view, answer));
    }
  }

  /** Keeps a few requests under way, oldest first, and looks from time to time for what was missed. */
  async #work(): Promise<void> {
    for (let looked = 0; !this.#ended; await sleep(10)) {
      const link = this.#link;
      if (!link?.connected) continue;
      if (performance.now() - looked > CHECK_EVERY_MS) {
        looked = performance.now();
        void this.#sync(link);
      }
      const busy = this.#open.filter(({ trying }) => trying !== undefined).length;
      const next = this.#open.filter(
        ({ trying, notBefore }) => trying === undefined && notBefore <= performance.now(),
      );
      for (const saying of next.slice(0, Math.max(0, IN_FLIGHT - busy))) void this.#send(link, saying);
    }
  }

  async #sync(link: RawLink): Promise<void> {
    const views = [...this.#views.values()];
    for (const view of views) if (view.seat === 'awaited') void this.#join(link, view);
    const bookings = views
      .filter(({ seat }) => seat !== 'awaited')
      .map(({ id, position }) => ({ booking_id: id, after_seq: position }));
    const answer = bookings.length > 0 ? await link.ask('sync', { bookings }) : undefined;
    const found = answer?.data?.['bookings'] as
      | { booking_id: string; messages?: Message[]; has_more?: boolean }[]
      | undefined;
    for (const { booking_id, messages, has_more } of found ?? []) {
      this.#hear(booking_id, messages ?? []);
      const view = this.#views.get(booking_id);
      if (has_more && view) void this.#catchUp(view);
    }
  }

  async #send(link: RawLink, saying: Saying): Promise<void> {
    const { booking_id, client_id, text } = saying;
    const mine = (this.#tries += 1);
    saying.trying = mine;
    const answer = await link.ask('message.send', { booking_id, client_id, kind: 'text', body: { text } });
    if (saying.trying !== mine) return;
    saying.trying = undefined;
    if (answer?.data) {
      this.#open = this.#open.filter((one) => one !== saying);
      this.#hear(booking_id, [answer.data['message'] as Message]);
      void this.#tease(saying);
    } else if (answer?.error && !answer.error.retryable) {
      this.#open = this.#open.filter((one) => one !== saying);
      const view = this.#views.get(booking_id);
      if (view) this.#notice(view, answer);
    } else if (answer?.error) {
      saying.notBefore = performance.now() + (answer.error.retry_after_ms ?? 300);
    }
  }

  /** Some answered messages are sent once more, and a few with other words under the same `client_id`. */
  async #tease({ booking_id, client_id, text }: Saying): Promise<void> {
    if (!this.#random.chance(0.1)) return;
    await sleep(this.#random.whole(0, 3_000));
    await until(() => this.#link?.connected === true, 10_000, 50);
    const link = this.#link;
    if (!link?.connected || !this.#talking) return;
    const other = this.#random.chance(0.2) ? `${text} (changed)` : text;
    await link.ask('message.send', { booking_id, client_id, kind: 'text', body: { text: other } });
  }
}
