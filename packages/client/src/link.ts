import { EVENT_NAMES } from '@curbline/contract/wire';
import type {
  Answer,
  CommandName,
  ErrorObject,
  EventName,
  EventPayload,
  PayloadInput,
  Result,
} from '@curbline/contract';
import { CurblineError } from './curbline-error.js';

/** What a link needs of a Socket.IO socket; one listener for each event. */
export interface RawSocket {
  on(event: string, listener: (payload: never) => void): unknown;
  emit(event: string, payload: unknown, answer: (answer: never) => void): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export interface LinkTarget {
  url: string;
  path: string | undefined;
  transports: ('websocket' | 'polling')[];
  auth: { token: string; type?: string };
}

/** Opens nothing yet: `connect` does. */
export type OpenSocket = (target: LinkTarget) => RawSocket;

/** Why a link ended or never came up. */
export interface LinkEnd {
  /** The handshake was refused with this. */
  refused?: ErrorObject;
  /** What the server said just before it closed. */
  farewell?: EventPayload<'disconnected'>;
  /** For people. */
  message: string;
}

export interface LinkHandlers {
  up(): void;
  /** Once, and nothing after it. */
  down(end: LinkEnd): void;
  event<N extends EventName>(name: N, payload: EventPayload<N>): void;
}

interface Refusal extends Error {
  data?: { error?: ErrorObject };
}

/**
 * One socket, from its handshake to its end. It is never reused: a packet that an old socket still has in its buffers
 * cannot be sent again behind our back, and an answer that comes too late finds nobody.
 */
export class Link {
  readonly #raw: RawSocket;
  readonly #handlers: LinkHandlers;
  readonly #waiting = new Set<(error: CurblineError) => void>();
  #farewell: EventPayload<'disconnected'> | undefined;
  #ended = false;

  constructor(raw: RawSocket, handlers: LinkHandlers) {
    this.#raw = raw;
    this.#handlers = handlers;
    raw.on('connect', () => this.#ended || handlers.up());
    raw.on('connect_error', (error: Refusal) => {
      const refused = error.data?.error;
      this.#end(refused ? { message: error.message, refused } : { message: error.message });
    });
    raw.on('disconnect', (reason: string) => this.#end({ message: reason }));
    for (const name of EVENT_NAMES) {
      raw.on(name, (payload: EventPayload<typeof name>) => {
        if (this.#ended) return;
        if (name === 'disconnected') this.#farewell = payload as EventPayload<'disconnected'>;
        handlers.event(name, payload);
      });
    }
    raw.connect();
  }

  /** One command, one answer. Rejects with `offline` when the link ends first: whether it was done is not known. */
  ask<N extends CommandName>(command: N, payload: PayloadInput<N>, timeoutMs: number): Promise<Result<N>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new CurblineError('offline', 'There is no link to the server.'));
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
      };
      const fail = (error: CurblineError): void => {
        done();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new CurblineError('timeout', `No answer to ${command} in time.`)),
        timeoutMs,
      );
      this.#waiting.add(fail);
      this.#raw.emit(command, payload, (answer: Answer<Result<N>>) => {
        if (!this.#waiting.has(fail)) return;
        if (answer.error) return fail(CurblineError.from(answer.error));
        done();
        resolve(answer.data);
      });
    });
  }

  /** Ends it from this side. */
  drop(message: string): void {
    this.#end({ message });
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#raw.disconnect();
    for (const fail of this.#waiting) fail(new CurblineError('offline', `The link ended: ${end.message}.`));
    this.#handlers.down(this.#farewell ? { ...end, farewell: this.#farewell } : end);
  }
}
