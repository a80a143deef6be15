import { Inject, Injectable } from '@nestjs/common';
import { Fanout, type ChatServer, type ChatSocket } from '../fanout/fanout.js';

/** A client that does not read makes the server's buffer grow: beyond this it is closed, and catches up by `seq`. */
const MAX_BUFFERED_BYTES = 1_048_576;
const CHECK_EVERY_MS = 1_000;

interface Transport {
  readonly name: string;
  readonly socket?: { readonly bufferedAmount: number; terminate(): void };
}

/** Closes sockets whose client has stopped reading. */
@Injectable()
export class SlowConsumers {
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(Fanout) private readonly fanout: Fanout) {}

  start(server: ChatServer): void {
    this.timer = setInterval(() => {
      for (const socket of server.sockets.sockets.values()) {
        if (bufferedBytes(socket) > MAX_BUFFERED_BYTES) this.end(socket);
      }
    }, CHECK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private end(socket: ChatSocket): void {
    const transport = transportOf(socket);
    this.fanout.endSocket(socket.id, 'slow_consumer', false);
    // What the client does not read can never be flushed: the connection is cut, not closed politely.
    if (transport.socket) transport.socket.terminate();
    else socket.conn.close(true);
  }
}

const transportOf = (socket: ChatSocket): Transport => socket.conn.transport as unknown as Transport;

function bufferedBytes(socket: ChatSocket): number {
  // engine.io types the queue as private; its length is what a polling client has not fetched.
  const { writeBuffer } = socket.conn as unknown as { writeBuffer: { data?: unknown }[] };
  let bytes = transportOf(socket).socket?.bufferedAmount ?? 0;
  for (const packet of writeBuffer) if (typeof packet.data === 'string') bytes += packet.data.length;
  return bytes;
}

