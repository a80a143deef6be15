import { io, type Socket } from 'socket.io-client';
import type { Recorder } from './recorder.ts';
import type { ClientSpec } from './spec.ts';

export interface Answer {
  data?: Record<string, unknown>;
  error?: { code: string; retryable: boolean; retry_after_ms?: number };
}

interface Told {
  booking_id?: string;
  booking?: string;
  reason?: string;
}

const ACK = 3;
const PATIENCE_MS = 6_000;

/** One connection of a client on plain Socket.IO, from its first packet to its end; every packet that counts is recorded. */
export class RawLink {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #recorder: Recorder;
  readonly #number: number;
  readonly #nextRequest: () => number;

  constructor(
    spec: ClientSpec,
    number: number,
    recorder: Recorder,
    nextRequest: () => number,
    up: (link: RawLink) => void,
  ) {
    this.#recorder = recorder;
    this.#number = number;
    this.#nextRequest = nextRequest;
    const socket = io(spec.url, {
      auth: { token: spec.token, type: 'chaos' },
      transports: [spec.transport],
      forceNew: true,
      reconnection: false,
      timeout: 5_000,
    });
    this.#socket = socket;
    this.#listen(spec.handover === 'gives');
    this.ended = new Promise<void>((resolve) => {
      socket.on('connect_error', (error: Error & { data?: Answer }) => {
        if (error.data?.error) this.#note('turned-away', { error: error.data.error });
        resolve();
      });
      socket.on('disconnect', (reason) => {
        this.#note('down', { reason });
        resolve();
      });
      socket.on('connect', () => {
        this.#note('up');
        up(this);
      });
    });
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  on<Payload>(event: string, hear: (payload: Payload) => void): void {
    this.#socket.on(event, hear);
  }

  close(): void {
    this.#socket.disconnect();
  }

  /** Sends a command; its answer, or undefined when none came while the connection and our patience lasted. */
  ask(cmd: string, payload: Record<string, unknown>): Promise<Answer | undefined> {
    const socket = this.#socket;
    if (!socket.connected) return Promise.resolve(undefined);
    const request = this.#nextRequest();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
      const down = (): void => {
        clearTimeout(timer);
        resolve(undefined);
      };
      socket.once('disconnect', down);
      // The id that Socket.IO gives this packet, under which its ack is counted.
      const { ids: id } = socket as unknown as { ids: number };
      this.#note('asked', { request, id, cmd, payload });
      socket.emit(cmd, payload, (answer: Answer) => {
        this.#note('answered', { request, ...answer });
        clearTimeout(timer);
        socket.off('disconnect', down);
        resolve(answer);
      });
    });
  }

  #listen(hearsAll: boolean): void {
    const socket = this.#socket;
    socket.io.on('ping', () => this.#note('alive'));
    // Counted below the callbacks, which Socket.IO calls only once.
    socket.io.on(
      'packet' as never,
      ((packet: { type: number; id?: number }) => {
        if (packet.type === ACK) this.#note('ack', { id: packet.id });
      }) as never,
    );
    socket.on('message.created', (event: object) => this.#note('told', { ...event }));
    socket.on('exception', (event: object) => this.#note('exception', { ...event }));
    // Of a driver who loses the seat every event counts: the last one of the booking is known.
    if (hearsAll) {
      socket.onAny((event: string, { booking_id, booking = booking_id, reason }: Told) =>
        this.#note('heard', { event, booking_id: booking, reason }),
      );
    }
  }

  #note(what: string, more: Record<string, unknown> = {}): void {
    this.#recorder.write(what, { link: this.#number, ...more });
  }
}
