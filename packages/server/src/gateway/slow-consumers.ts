import { Inject, Injectable, Logger } from '@nestjs/common';
import { Fanout, type ChatServer, type ChatSocket } from '../fanout/fanout.js';
import {
  cut,
  pollResponse,
  unsentBytes,
  type EngineConnection,
  type PollResponse,
} from './engine-connection.js';

/** A client that does not read makes the server's buffer grow: beyond this it is closed, and catches up by `seq`. */
const MAX_BUFFERED_BYTES = 1_048_576;
/** One turn may have more to say to a client than that: whether it reads is known once the network had its chance. */
const DOUBT_MS = 500;
const MAX_DOUBTED_BYTES = 4 * MAX_BUFFERED_BYTES;
/** The same for all sockets of one person together; only those that are much behind are looked at. */
const MAX_PERSON_BYTES = 8 * MAX_BUFFERED_BYTES;
const MUCH_BYTES = MAX_BUFFERED_BYTES / 4;
/** A client that begins to read again within this learns why it was closed. */
const FAREWELL_MS = 5_000;

/** What is on its way to one client. */
export interface Outgoing {
  readonly slow: SlowConsumers;
  /** The authenticated socket on this connection. */
  socketId: string | undefined;
  /** What waits in engine.io for the transport. */
  queuedBytes: number;
  /** The largest packet in there: one page that was asked for must not be what closes a slow client. */
  largestBytes: number;
  /** Polls that were answered, with how much, and not read by the client yet. */
  unread: Map<PollResponse, number> | undefined;
  unreadBytes: number;
  doubted: boolean;
  ending: boolean;
}

interface Packet {
  readonly data?: unknown;
}

/** Closes sockets whose client has stopped reading, at the packet that is too much. */
@Injectable()
export class SlowConsumers {
  private readonly logger = new Logger(SlowConsumers.name);
  private endedCount = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(Fanout) private readonly fanout: Fanout) {}

  start(server: ChatServer): void {
    server.engine.on('connection', (conn: EngineConnection) => this.watch(conn));
    this.timer = setInterval(() => this.tell(), 1_000);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** This socket is who is told when its connection has to be closed. */
  admit(socket: ChatSocket): Outgoing {
    const outgoing = outgoingOf(socket.conn) ?? this.watch(socket.conn);
    outgoing.socketId = socket.id;
    return outgoing;
  }

  /** So many bytes are about to be written. */
  watchWrite(conn: EngineConnection, outgoing: Outgoing, bytes: number): void {
    const waiting = waitingBytes(conn, outgoing);
    if (waiting === 0) outgoing.largestBytes = 0;
    else if (waiting > MAX_DOUBTED_BYTES) this.end(conn, outgoing);
    else if (isTooMuch(waiting, outgoing)) this.doubt(conn, outgoing);
    if (waiting + bytes > MUCH_BYTES) this.boundPerson(outgoing.socketId, bytes);
    if (bytes > outgoing.largestBytes) outgoing.largestBytes = bytes;
  }

  private watch(conn: EngineConnection): Outgoing {
    const outgoing: Outgoing = {
      slow: this,
      socketId: undefined,
      queuedBytes: 0,
      largestBytes: 0,
      unread: undefined,
      unreadBytes: 0,
      doubted: false,
      ending: false,
    };
    Object.assign(conn, { [OUTGOING]: outgoing });
    conn.on('packetCreate', onPacketCreate).on('flush', onFlush);
    return outgoing;
  }

  /** Many sockets of one person that do not read are cut, the worst first, until what waits is bearable. */
  private boundPerson(socketId: string | undefined, moreBytes: number): void {
    if (socketId === undefined) return;
    const behind = [...this.fanout.besides(socketId)]
      .map(({ conn }) => ({ conn, outgoing: outgoingOf(conn) ?? this.watch(conn) }))
      .map((one) => ({ ...one, bytes: waitingBytes(one.conn, one.outgoing) }))
      .sort((one, other) => other.bytes - one.bytes);
    let bytes = behind.reduce((sum, one) => sum + one.bytes, moreBytes);
    for (const one of behind) {
      if (bytes <= MAX_PERSON_BYTES || one.bytes === 0) break;
      bytes -= one.bytes;
      this.end(one.conn, one.outgoing);
      release(one.conn, one.outgoing);
    }
  }

  private doubt(conn: EngineConnection, outgoing: Outgoing): void {
    if (outgoing.doubted) return;
    outgoing.doubted = true;
    setTimeout(() => {
      outgoing.doubted = false;
      const stillThere = conn.readyState === 'open';
      if (stillThere && isTooMuch(waitingBytes(conn, outgoing), outgoing)) this.end(conn, outgoing);
    }, DOUBT_MS).unref();
  }

  private end(conn: EngineConnection, outgoing: Outgoing): void {
    if (outgoing.ending) return;
    outgoing.ending = true;
    this.endedCount += 1;
    const { socketId } = outgoing;
    if (socketId !== undefined) {
      this.fanout.toSocket(socketId, 'disconnected', {
        reason: 'slow_consumer',
        message: 'Socket disconnected',
      });
    }
    // Nothing is taken into the buffer any more, and nothing of the client's is served.
    conn.close();
    setTimeout(() => release(conn, outgoing), FAREWELL_MS).unref();
  }

  private tell(): void {
    if (this.endedCount > 0)
      this.logger.warn(`closed ${this.endedCount} connections whose client does not read`);
    this.endedCount = 0;
  }
}

/** Lets go of what a client has not read. */
function release(conn: EngineConnection, { unread }: Outgoing): void {
  for (const response of unread?.keys() ?? []) response.destroy();
  cut(conn);
}

const waitingBytes = (conn: EngineConnection, outgoing: Outgoing): number =>
  unsentBytes(conn) + outgoing.unreadBytes + outgoing.queuedBytes;

const isTooMuch = (waiting: number, { largestBytes }: Outgoing): boolean =>
  waiting > MAX_BUFFERED_BYTES + largestBytes;

/** A poll's answer leaves engine.io at once, but its client may leave it on the way. */
function remember(outgoing: Outgoing, response: PollResponse): void {
  const bytes = outgoing.queuedBytes;
  outgoing.unread ??= new Map();
  outgoing.unread.set(response, bytes);
  outgoing.unreadBytes += bytes;
  response.once('close', () => {
    outgoing.unread?.delete(response);
    outgoing.unreadBytes -= bytes;
  });
}

/** Where a connection keeps what is on its way: one listener then serves all of them. */
const OUTGOING = Symbol('outgoing');

const outgoingOf = (conn: EngineConnection): Outgoing | undefined =>
  (conn as EngineConnection & { [OUTGOING]?: Outgoing })[OUTGOING];

function onPacketCreate(this: EngineConnection, { data }: Packet): void {
  const outgoing = outgoingOf(this);
  if (!outgoing) return;
  const bytes = typeof data === 'string' ? data.length : 0;
  outgoing.slow.watchWrite(this, outgoing, bytes);
  outgoing.queuedBytes += bytes;
}

function onFlush(this: EngineConnection): void {
  const outgoing = outgoingOf(this);
  if (!outgoing) return;
  const response = pollResponse(this);
  if (response) remember(outgoing, response);
  outgoing.queuedBytes = 0;
}
