import { SOCKET_PATH } from '@curbline/contract/wire';
import { Socket as Engine } from 'engine.io-client';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import type { OpenSocket, RawSocket } from './link.js';

type Listener = (payload: never) => void;

/**
 * One Socket.IO socket on the namespace `/`, made of the two libraries that socket.io-client is made of. What that one
 * adds beside them (reconnecting, buffers that send later, shared managers, namespaces, retries) is what the SDK must
 * decide itself, and would take the SDK over its size.
 * See https://socket.io/docs/v4/socket-io-protocol/
 */
class WireSocket implements RawSocket {
  readonly #engine: () => Engine;
  readonly #auth: object;
  readonly #listeners: Record<string, Listener> = {};
  readonly #answers = new Map<number, Listener>();
  readonly #encoder = new Encoder();
  readonly #decoder = new Decoder();
  #open: Engine | undefined;
  #asked = 0;

  constructor(engine: () => Engine, auth: object) {
    this.#engine = engine;
    this.#auth = auth;
  }

  on(event: string, listener: Listener): void {
    this.#listeners[event] = listener;
  }

  connect(): void {
    const engine = (this.#open = this.#engine());
    engine.on('open', () => this.#put(PacketType.CONNECT, this.#auth));
    engine.on('data', (data: unknown) => {
      try {
        this.#decoder.add(data);
      } catch {
        // Not Socket.IO, or half of it: nothing that follows on this line can be trusted.
        engine.close();
      }
    });
    engine.on('error', (error) => this.#tell('connect_error', error));
    engine.on('close', (reason) => this.#tell('disconnect', reason));
    this.#decoder.on('decoded', ({ type, id, data }) => {
      if (type === PacketType.EVENT) this.#tell(...(data as [string, unknown]));
      else if (type === PacketType.ACK) this.#answered(id ?? 0, ...(data as [unknown]));
      else if (type === PacketType.CONNECT) this.#tell('connect', undefined);
      else if (type === PacketType.CONNECT_ERROR) this.#tell('connect_error', data);
      else if (type === PacketType.DISCONNECT) this.#tell('disconnect', 'the server closed it');
    });
  }

  emit(command: string, payload: unknown, answer: Listener): void {
    this.#answers.set((this.#asked += 1), answer);
    this.#put(PacketType.EVENT, [command, payload], this.#asked);
  }

  disconnect(): void {
    this.#open?.close();
  }

  #put(type: PacketType, data: unknown, id?: number): void {
    for (const part of this.#encoder.encode({ type, nsp: '/', data, ...(id && { id }) }) as string[]) {
      this.#open?.write(part);
    }
  }

  #answered(id: number, answer: unknown): void {
    this.#answers.get(id)?.(answer as never);
    this.#answers.delete(id);
  }

  #tell(event: string, payload: unknown): void {
    this.#listeners[event]?.(payload as never);
  }
}

/** A socket that opens with `connect`, over the first transport that is not refused. */
export const openSocket: OpenSocket = ({ url, path = SOCKET_PATH, transports, auth }) =>
  new WireSocket(
    () =>
      new Engine(url, {
        path,
        transports,
        tryAllTransports: true,
        withCredentials: false,
      }),
    auth,
  );
