import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import { TokenBucket } from './token-bucket.js';

/** Clients write a message in one frame, or a few. Each fragment of a message that never ends costs a hundred bytes. */
const MAX_FRAGMENTS = 32;
/** Pieces in which one frame may arrive: a phone's network cuts at 1,400 bytes. */
const MIN_CHUNKS = 256;
const CHUNK_BYTES = 256;
/** How long a peer is waited for that does not take part in the closing handshake. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Pings and pongs of the websocket itself, which nobody above hears of. */
const CONTROL_FRAMES = { perS: 5, burst: 20 };

type Stream = Pick<Duplex, 'cork' | 'uncork'>;

/** Streams that hold something back until the end of this turn of the event loop. */
let held = new Set<Stream>();

function release(): void {
  const streams = held;
  held = new Set();
  for (const stream of streams) stream.uncork();
}

/** What a turn says to one socket (an answer, events, receipts) leaves in one system call. */
function hold(stream: Stream): void {
  if (held.has(stream)) return;
  if (held.size === 0) setImmediate(release);
  held.add(stream);
  stream.cork();
}

/** What the types of ws leave out of its class. */
interface WithSetSocket {
  readonly setSocket: (...args: unknown[]) => void;
}

/** The part of ws' own sender that every frame goes through. */
interface FrameSender {
  readonly _socket: Stream;
  sendFrame: (frame: Buffer[], sent?: (error?: Error) => void) => void;
}

class BoundedWebSocket extends WebSocket {
  /** ws calls it once the handshake is done. */
  setSocket(...args: unknown[]): void {
    Reflect.apply((WebSocket.prototype as unknown as WithSetSocket).setSocket, this, args);
    const { _sender: sender } = this as unknown as { _sender: FrameSender };
    sender.sendFrame = sendTogether;
  }

  /** The server hands over three arguments, of which the types of ws know one. */
  constructor(...args: [null]) {
    super(...args);
    const bucket = new TokenBucket(CONTROL_FRAMES.perS, CONTROL_FRAMES.burst);
    const count = () => {
      if (!bucket.take()) this.terminate();
    };
    this.on('ping', count);
    this.on('pong', count);
  }
}

/**
 * The frame counts as sent once it is in the stream's buffer, whose size is watched: waiting for the system call
 * would put the turn's second packet into the next write. A stream that fails says so by closing.
 */
function sendTogether(this: FrameSender, frame: Buffer[], sent?: (error?: Error) => void): void {
  hold(this._socket);
  Reflect.apply((Object.getPrototypeOf(this) as FrameSender).sendFrame, this, [frame]);
  sent?.();
}

/**
 * The websocket engine of Socket.IO: one write for a socket and a turn, and bounds on
 * what is collected before a message is whole.
 */
export class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({
      ...options,
      // Only servers make these, with the one signature that it has.
      WebSocket: BoundedWebSocket as unknown as typeof WebSocket,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MIN_CHUNKS + Math.ceil((options.maxPayload ?? 0) / CHUNK_BYTES),
      closeTimeout: CLOSE_TIMEOUT_MS,
    } as ServerOptions);
  }
}
