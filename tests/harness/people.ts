import type { Answer, ClientToServerEvents, ServerToClientEvents } from '@curbline/contract';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { TestServer } from './server.js';
import { storyTransports } from './story-transports.js';

export type RawSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** One thing that a socket was told. */
export interface Heard {
  name: string;
  args: unknown[];
}

const ANSWER_LIMIT_MS = 10_000;

/** A person with a plain Socket.IO client: every event it hears is kept, every command waits for its answer. */
export class Person {
  readonly heard: Heard[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(readonly socket: RawSocket) {
    socket.onAny((name: string, ...args: unknown[]) => {
      this.heard.push({ name, args });
      for (const check of this.waiting) check();
    });
  }

  /** Connects; rejects with the `connect_error` when it is refused. */
  static async connect(
    server: Pick<TestServer, 'url'>,
    token: string,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): Promise<Person> {
    const socket: RawSocket = io(server.url, {
      auth: { token, type: 'test' },
      transports: storyTransports,
      forceNew: true,
      reconnection: false,
      ...options,
    });
    const person = new Person(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error) => {
        socket.close();
        reject(error);
      });
    });
    return person;
  }

  /** Connects with a token from the server itself. */
  static async as(
    server: TestServer,
    scope: 'driver' | 'customer' | 'support',
    user_id: string,
  ): Promise<Person> {
    return Person.connect(server, await server.token(scope, user_id));
  }

  /** Emits a command with anything as arguments and waits for its one answer. */
  ask<T = Record<string, unknown>>(command: string, ...args: unknown[]): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${command} was not answered`)), ANSWER_LIMIT_MS);
      const emit = this.socket.emit.bind(this.socket) as (...args: unknown[]) => void;
      emit(command, ...args, (answer: Answer<T>) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  /** Like `ask`, for commands that must succeed. */
  async data<T = Record<string, unknown>>(command: string, payload: unknown): Promise<T> {
    const answer = await this.ask<T>(command, payload);
    if (answer.error) throw new Error(`${command}: ${JSON.stringify(answer.error)}`);
    return answer.data;
  }

  /** Like `ask`, for commands that must fail. */
  async error(command: string, payload: unknown) {
    const answer = await this.ask(command, payload);
    if (!answer.error) throw new Error(`${command} succeeded: ${JSON.stringify(answer.data)}`);
    return answer.error;
  }

  send(booking_id: string, text: string, client_id: string = crypto.randomUUID()) {
    return this.data<{
      message: { seq: number; id: string; client_id: string; body: { text: string } };
      duplicate: boolean;
    }>('message.send', { booking_id, client_id, kind: 'text', body: { text } });
  }

  /** Payloads of an event that were heard so far. */
  told<T = Record<string, unknown>>(name: string): T[] {
    return this.heard.filter((one) => one.name === name).map((one) => one.args[0] as T);
  }

  /** Waits until the event was heard with a payload that fits. */
  hears<T = Record<string, unknown>>(
    name: string,
    fits: (payload: T) => boolean = () => true,
    limitMs = 10_000,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.told<T>(name).find(fits);
        if (found === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(`${name} was not heard; heard: ${this.heard.map((one) => one.name).join(', ')}`));
      }, limitMs);
      this.waiting.add(check);
      check();
    });
  }

  leave(): void {
    this.socket.close();
  }
}

/** A booking with both people connected. */
export async function pair(server: TestServer, bookingId?: string) {
  const booking_id = await server.booking(bookingId);
  const [driver, customer] = await Promise.all(
    (['driver', 'customer'] as const).map((scope) => Person.as(server, scope, `${booking_id}-${scope}`)),
  );
  if (!driver || !customer) throw new Error('both connect');
  return { booking_id, driver, customer };
}
