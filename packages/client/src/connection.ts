import type { CommandName, EventName, EventPayload, PayloadInput, Result } from '@curbline/contract';
import { asCurblineError, CurblineError, isLinkLost } from './curbline-error.js';
import { identityOf, type Identity } from './identity.js';
import { Link, type LinkEnd, type OpenSocket } from './link.js';
import { jittered, pause } from './pause.js';
import type { ClientOptions, ConnectionState } from './types.js';

export interface ConnectionHandlers {
  state(state: ConnectionState): void;
  error(error: CurblineError): void;
  /** Before the first link, and never another one after it. */
  identity(identity: Identity): void;
  up(): void;
  event<N extends EventName>(name: N, payload: EventPayload<N>): void;
}

interface Waiter {
  resolve(): void;
  reject(error: CurblineError): void;
}

/** A link that ends sooner does not count as one: a server that takes everybody in and dies is left its pauses. */
const STEADY_MS = 10_000;
/** How many times longer than for an answer of the server a token is waited for. */
const TOKEN_PATIENCES = 3;

/** Keeps one link alive: tokens, attempts, pauses between them, and when to give up. */
export class Connection {
  state: ConnectionState = 'idle';
  readonly #options: ClientOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #open: OpenSocket;
  readonly #waiters = new Set<Waiter>();
  #identity: Identity | undefined;
  #link: Link | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  /** The last attempt got no answer at all. */
  #stalled = false;
  /** A refused token has been asked for anew once; the next refusal is final. */
  #refusedOnce = false;
  #paused = false;
  #run = 0;

  constructor(options: ClientOptions, open: OpenSocket, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#open = open;
    this.#handlers = handlers;
    this.#identity = options.user;
  }

  /** Resolves when online. Starts or resumes trying. */
  start(): Promise<void> {
    this.#paused = false;
    if (this.state === 'idle' || this.state === 'closed') {
      this.#refusedOnce = false;
      this.#attempts = 0;
      this.#set('connecting');
      this.#attempt();
    } else if (this.state === 'offline') this.nudge();
    return this.online();
  }

  /** Resolves at once when online, else with the next link. */
  online(): Promise<void> {
    if (this.state === 'online') return Promise.resolve();
    if (this.state === 'closed') return Promise.reject(new CurblineError('closed', 'The client is closed.'));
    return new Promise((resolve, reject) => void this.#waiters.add({ resolve, reject }));
  }

  /** The network may be back: try now instead of after the pause. */
  nudge(): void {
    if (this.state !== 'offline' || this.#paused || this.#link) return;
    clearTimeout(this.#timer);
    this.#attempt();
  }

  pause(): void {
    if (this.state === 'closed') return;
    this.#paused = true;
    this.#dropLink('paused');
    this.#set('offline');
  }

  stop(error = new CurblineError('closed', 'The client was closed.')): void {
    if (this.state === 'closed') return;
    this.#dropLink(error.message);
    this.#set('closed');
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  /** One try on the link of now. */
  async ask<N extends CommandName>(command: N, payload: PayloadInput<N>): Promise<Result<N>> {
    const link = this.#link;
    if (this.state !== 'online' || !link)
      throw new CurblineError('offline', 'There is no link to the server.');
    try {
      return await link.ask(command, payload, this.#patienceMs);
    } catch (error) {
      // A server always answers: this link is half dead, whatever its heartbeat says.
      if (error instanceof CurblineError && error.code === 'timeout') link.drop('no answer in time');
      throw error;
    }
  }

  /** One try on the link of now or, when there is none, on the next one. */
  async once<N extends CommandName>(command: N, payload: PayloadInput<N>): Promise<Result<N>> {
    if (this.state === 'idle') void this.start().catch(() => undefined);
    await this.online();
    return this.ask(command, payload);
  }

  /** Tries until there is an answer that another try would not change. Only for commands that may be repeated. */
  async request<N extends CommandName>(command: N, payload: PayloadInput<N>): Promise<Result<N>> {
    for (let failures = 0; ;) {
      try {
        return await this.once(command, payload);
      } catch (cause) {
        const error = asCurblineError(cause, 'internal');
        // The link is gone, or has just been dropped: the next one asks again.
        if (isLinkLost(error)) continue;
        failures += 1;
        if (!error.retryable || error.code === 'closed' || failures > 4) throw error;
        await pause(error.retryAfterMs ?? jittered(200 * 2 ** failures));
      }
    }
  }

  /** Gives the live socket a new token. */
  async refresh(): Promise<void> {
    const { token } = this.#options;
    if (typeof token === 'string') return;
    const run = this.#run;
    try {
      const renewed = await token();
      if (run === this.#run) await this.ask('token.refresh', { token: renewed });
    } catch (cause) {
      // The socket then ends at its time and the next attempt asks for a token again.
      this.#handlers.error(asCurblineError(cause, 'token'));
    }
  }

  get #patienceMs(): number {
    return this.#options.ackTimeoutMs ?? 10_000;
  }

  #attempt(): void {
    const run = (this.#run += 1);
    // Whoever makes the token may have a bad line, too; it may also never answer.
    this.#within(TOKEN_PATIENCES * this.#patienceMs, 'token', 'The token function did not answer in time.');
    this.#token(run).then(
      (token) => {
        if (run !== this.#run) return;
        clearTimeout(this.#timer);
        this.#within(this.#patienceMs, 'timeout', 'The handshake was not answered in time.');
        this.#connect(token, run);
      },
      (cause: unknown) => {
        if (run !== this.#run) return;
        const error = asCurblineError(cause, 'token');
        if (error.retryable) {
          this.#handlers.error(error);
          this.#retry();
        } else this.#giveUp(error);
      },
    );
  }

  /** Gives this attempt up after a while, and says so. */
  #within(patienceMs: number, code: 'token' | 'timeout', message: string): void {
    this.#timer = setTimeout(() => {
      this.#dropLink(message);
      // A network that swallows websockets may let long-polling through.
      if (code === 'timeout') this.#stalled = !this.#stalled;
      this.#handlers.error(new CurblineError(code, message, { retryable: true }));
      this.#retry();
    }, patienceMs);
  }

  async #token(run: number): Promise<string> {
    const { token, user } = this.#options;
    const renewable = typeof token !== 'string';
    const value = renewable ? await token() : token;
    // Too late: somebody closed or paused meanwhile, and the outbox must not open again behind their back.
    if (run !== this.#run) return value;
    // What is no token at all is the error page of a proxy more often than not: the next one may be a token.
    const identity = user && !renewable && !value.includes('.') ? user : identityOf(value, renewable);
    const known = this.#identity;
    if (known && (known.user_id !== identity.user_id || known.scope !== identity.scope)) {
      throw new CurblineError('token', 'The new token is for another person: make a new client for them.');
    }
    this.#identity = identity;
    this.#handlers.identity(identity);
    return value;
  }

  #connect(token: string, run: number): void {
    const { url, path, transports = ['websocket', 'polling'], type } = this.#options;
    const order = this.#stalled ? [...transports].reverse() : transports;
    const raw = this.#open({
      url,
      path,
      transports: order,
      auth: type === undefined ? { token } : { token, type },
    });
    const current = (): boolean => run === this.#run;
    this.#link = new Link(raw, {
      up: () => current() && this.#up(),
      down: (end) => current() && this.#down(end),
      event: (name, payload) => {
        if (!current()) return;
        if (name === 'token.expiring') void this.refresh();
        this.#handlers.event(name, payload);
      },
    });
  }

  #up(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#attempts = 0), STEADY_MS);
    this.#refusedOnce = false;
    this.#set('online');
    this.#handlers.up();
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters.clear();
  }

  #down({ refused, farewell, message }: LinkEnd): void {
    this.#link = undefined;
    clearTimeout(this.#timer);
    const renewable = typeof this.#options.token !== 'string';
    if (refused) {
      const error = CurblineError.from(refused);
      if (refused.code === 'unauthenticated' && renewable && !this.#refusedOnce) {
        this.#refusedOnce = true;
        this.#retry();
      } else if (refused.retryable) this.#retry(refused.retry_after_ms);
      else this.#giveUp(error);
    } else if (farewell?.reason === 'revoked' || (farewell?.reason === 'token_expired' && !renewable)) {
      this.#giveUp(new CurblineError('unauthenticated', `The server ended the session: ${farewell.reason}.`));
    } else {
      this.#handlers.error(new CurblineError('offline', `The link ended: ${message}.`));
      if (farewell?.reason === 'token_expired') this.#retry(0);
      else this.#retry(farewell?.retry_after_ms);
    }
  }

  #retry(afterMs?: number): void {
    const { min = 500, max = 10_000 } = this.#options.reconnectMs ?? {};
    const pauseMs = Math.max(afterMs ?? 0, jittered(Math.min(max, min * 2 ** Math.min(this.#attempts, 20))));
    this.#attempts += 1;
    this.#set('offline');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#attempt(), afterMs === 0 ? 0 : pauseMs);
  }

  #giveUp(error: CurblineError): void {
    this.#handlers.error(error);
    this.stop(error);
  }

  #dropLink(message: string): void {
    const link = this.#link;
    this.#run += 1;
    this.#link = undefined;
    clearTimeout(this.#timer);
    link?.drop(message);
  }

  #set(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.#handlers.state(state);
  }
}
