import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import { keepAnswer } from './kept-answer.js';
import { LeanWebSocket } from './lean-websocket.js';
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

/** A websocket of ws that bounds control frames; the rest is bounded by ws' own options. */
class BoundedWebSocket extends WebSocket {
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

/** ws' server, with bounds on what is collected before a message is whole. */
const bounded = (options: ServerOptions, socket: unknown): ServerOptions =>
  ({
    ...options,
    // Only servers make these, with the one signature that it has.
    WebSocket: socket as typeof WebSocket,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MIN_CHUNKS + Math.ceil((options.maxPayload ?? 0) / CHUNK_BYTES),
    closeTimeout: CLOSE_TIMEOUT_MS,
  }) as ServerOptions;

/** The websocket engine of Socket.IO: ws' handshake and receiver around sockets of our own. */
export class LeanWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super(bounded(options, LeanWebSocket));
  }

  override handleUpgrade(...args: Parameters<WebSocketServer['handleUpgrade']>): void {
    // A handshake that fails ends the socket instead, and writes nothing.
    keepAnswer(args[1]);
    super.handleUpgrade(...args);
  }
}

/** ws as it is, for hosts that switch ours off. */
export class StockWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super(bounded(options, BoundedWebSocket));
  }
}
