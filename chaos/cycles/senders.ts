import { io, type Socket } from 'socket.io-client';
import { mintToken, type Person } from '../rig/tokens.ts';
import { sleep } from '../rig/shell.ts';
import type { Ledger } from './ledger.ts';

interface Answer {
  data?: { message: { seq: number; body: { text: string } } };
  error?: { code: string; retryable: boolean };
}

/** People go on talking while the server is away: a message each so often, up to so many times what is under way else. */
const SAY_EVERY_MS = 20;
const WAITING_MOST = 8;

/** One person who has at least so many messages under way, and repeats first what the last kill left open. */
export class Sender {
  readonly #person: Person;
  readonly #booking_id: string;
  readonly #ledger: Ledger;
  readonly #atOnce: number;
  #socket: Socket | undefined;
  #talking = false;
  #saying: ReturnType<typeof setInterval> | undefined;
  /** Messages that are sent and not answered on the connection of now, or not answered since it ended. */
  #said = 0;
  readonly #mine = new Set<string>();

  constructor(person: Person, booking_id: string, ledger: Ledger, atOnce: number) {
    this.#person = person;
    this.#booking_id = booking_id;
    this.#ledger = ledger;
    this.#atOnce = atOnce;
  }

  /** Messages without an answer. */
  get inFlight(): number {
    return this.#mine.size;
  }

  async connect(url: string): Promise<void> {
    for (;;) {
      const socket = io(url, {
        auth: { token: mintToken(this.#person) },
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        timeout: 3_000,
      });
      const up = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('connect_error', () => resolve(false));
      });
      if (up) {
        this.#socket = socket;
        break;
      }
      socket.disconnect();
      await sleep(20);
    }
    this.#talking = true;
    this.#saying ??= setInterval(() => {
      if (this.#mine.size < WAITING_MOST * this.#atOnce) this.#next();
    }, SAY_EVERY_MS).unref();
    for (const client_id of this.#mine) this.#send(client_id);
    while (this.#mine.size < this.#atOnce) this.#next();
  }

  /** Says nothing new. */
  quiet(): void {
    this.#talking = false;
    clearInterval(this.#saying);
  }

  leave(): void {
    this.#talking = false;
    this.#socket?.disconnect();
    this.#socket = undefined;
  }

  #next(): void {
    const client_id = crypto.randomUUID();
    this.#ledger.open.set(client_id, `${this.#person.user_id} says ${(this.#said += 1)} (${client_id})`);
    this.#mine.add(client_id);
    this.#send(client_id);
  }

  #send(client_id: string): void {
    const socket = this.#socket;
    const text = this.#ledger.open.get(client_id);
    if (!socket?.connected || text === undefined) return;
    socket.emit(
      'message.send',
      { booking_id: this.#booking_id, client_id, kind: 'text', body: { text } },
      (answer: Answer) => {
        if (answer.data) {
          this.#ledger.ack(client_id, answer.data.message);
          this.#mine.delete(client_id);
          if (this.#talking && this.#mine.size < this.#atOnce) this.#next();
        } else if (answer.error?.retryable === true) {
          // The database is away and the server is not: the same message once more.
          setTimeout(() => socket === this.#socket && this.#send(client_id), 50);
        } else {
          this.#ledger.wrong.push(`${client_id} was refused: ${answer.error?.code}`);
        }
      },
    );
  }
}
