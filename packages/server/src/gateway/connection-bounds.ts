import { Inject, Injectable, Logger } from '@nestjs/common';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';
import type { ChatServer, ChatSocket } from '../fanout/fanout.js';
import { isModestJson } from '../json-shape.js';
import {
  cut,
  endOnChatter,
  limitPayload,
  limitPollingClose,
  mayUpgrade,
  terminate,
  type EngineConnection,
} from './engine-connection.js';
import { TokenBucket, TokenBuckets } from './token-bucket.js';

/** How long a connection may be without an authenticated socket. */
export const STRANGER_MS = 10_000;
export const MAX_PAYLOAD_BYTES = 65_536;

/** A token of 8,192 characters, the longest that is looked at, and what else a handshake says. */
const STRANGER_PAYLOAD_BYTES = 10_240;
const STRANGER_PACKETS = { perS: 2, burst: 10 };
/** Far above what the answers `rate_limited` are for: only a client that does not listen to them comes here. */
const PACKETS = { perS: 1_500, burst: 1_500 };
/** Attempts to join a namespace in the life of a connection; there is one namespace, and a token may be renewed. */
const MAX_CONNECTS = 10;
const MAX_PROBES = 5;
/** Below this no JSON is worth a look before it is parsed. */
export const SUSPICIOUS_LENGTH = 4_096;
const SWEEP_EVERY_MS = 250;
/** For the next poll, once a connection is closed. */
const FAREWELL_MS = 5_000;
/** What an honest client may have on the way when its connection is closed. */
const LAST_PACKETS = 100;

const CONNECT_PACKET = '0'.charCodeAt(0);

/** One connection, and what it has used of its bounds. */
export interface Guarded {
  readonly bounds: ConnectionBounds;
  readonly conn: EngineConnection;
  /** Undefined where the operator has switched rate limits off. */
  bucket: TokenBucket | undefined;
  maxBytes: number;
  /** Bytes of attachments that came for a packet that is not whole yet. */
  attachedBytes: number;
  connects: number;
  probes: number;
  /** Authenticated sockets. */
  sockets: number;
  strangerSinceMs: number;
  ended: boolean;
}

interface Packet {
  readonly data?: unknown;
}

/**
 * What a connection may send, checked below Socket.IO: before a packet is decoded, and long before anybody knows who
 * sends it. Whoever is over a bound loses the connection, and may come back.
 */
@Injectable()
export class ConnectionBounds {
  private readonly logger = new Logger(ConnectionBounds.name);
  /** Oldest first, as a set keeps its order. */
  private readonly strangers = new Set<Guarded>();
  private readonly people: TokenBuckets | undefined;
  private readonly maxPayloadBytes: number;
  private readonly violations = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private sweeps = 0;

  constructor(@Inject(CHAT_OPTIONS) { sockets = {}, messagesPerS = 5, messagesBurst = 20 }: ChatOptions) {
    this.maxPayloadBytes = sockets.maxPayloadBytes ?? MAX_PAYLOAD_BYTES;
    if (messagesPerS > 0) {
      this.people = new TokenBuckets(PACKETS.perS + 2 * messagesPerS, PACKETS.burst + 2 * messagesBurst);
    }
  }

  start(server: ChatServer): void {
    server.engine.on('connection', (conn: EngineConnection) => this.guard(conn));
    this.timer = setInterval(() => this.sweep(performance.now()), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** An authenticated socket lives on this connection: it gets the bounds of a person, shared by all their sockets. */
  admit(socket: ChatSocket): Guarded {
    const guarded = guardedOf(socket.conn) ?? this.guard(socket.conn);
    guarded.sockets += 1;
    this.strangers.delete(guarded);
    guarded.bucket = this.people?.of(socket.data.user.key);
    guarded.maxBytes = this.maxPayloadBytes;
    limitPayload(guarded.conn, guarded.maxBytes);
    return guarded;
  }

  /** Its authenticated socket has left. A client can keep the connection: nobody knows it any more. */
  left(guarded: Guarded): void {
    guarded.sockets -= 1;
    if (guarded.sockets === 0 && guarded.conn.readyState === 'open') this.estrange(guarded);
  }

  /** Counts a packet that is read before engine.io sees it; false when it was one too many. */
  allows(guarded: Guarded): boolean {
    if (guarded.bucket === undefined || guarded.bucket.take()) return true;
    this.end(guarded, 'too many packets');
    return false;
  }

  private guard(conn: EngineConnection): Guarded {
    const guarded: Guarded = {
      bounds: this,
      conn,
      bucket: undefined,
      maxBytes: 0,
      attachedBytes: 0,
      connects: 0,
      probes: 0,
      sockets: 0,
      strangerSinceMs: 0,
      ended: false,
    };
    Object.assign(conn, { [GUARDED]: guarded });
    this.estrange(guarded);
    limitPollingClose(conn, FAREWELL_MS);
    conn.on('packet', onPacket).on('close', onClose);
    if (mayUpgrade(conn)) conn.on('upgrading', onUpgrading).on('upgrade', onUpgrade);
    return guarded;
  }

  /** @internal */
  closed(guarded: Guarded): void {
    this.strangers.delete(guarded);
    endOnChatter(guarded.conn, LAST_PACKETS);
  }

  private estrange(guarded: Guarded): void {
    guarded.strangerSinceMs = performance.now();
    guarded.bucket = new TokenBucket(STRANGER_PACKETS.perS, STRANGER_PACKETS.burst);
    guarded.maxBytes = Math.min(STRANGER_PAYLOAD_BYTES, this.maxPayloadBytes);
    limitPayload(guarded.conn, guarded.maxBytes);
    this.strangers.add(guarded);
  }

  /** @internal */
  received(guarded: Guarded, { data }: Packet): void {
    if (guarded.ended) return;
    if (guarded.bucket && !guarded.bucket.take()) this.end(guarded, 'too many packets');
    else if (typeof data === 'string') {
      guarded.attachedBytes = 0;
      if (data.length > guarded.maxBytes) this.end(guarded, 'too large a packet');
      else if (data.length > SUSPICIOUS_LENGTH && !isModestJson(data)) this.end(guarded, 'JSON without end');
      else if (data.charCodeAt(0) === CONNECT_PACKET && (guarded.connects += 1) > MAX_CONNECTS) {
        this.end(guarded, 'too many namespaces');
      }
    } else if (data instanceof Uint8Array) {
      guarded.attachedBytes += data.length;
      if (guarded.attachedBytes > guarded.maxBytes) this.end(guarded, 'too many attachments');
    }
  }

  /** @internal A websocket that wants to take over from polling speaks before it is the transport, so it is counted here. */
  probed(guarded: Guarded, transport: unknown): void {
    guarded.probes += 1;
    if (guarded.probes <= MAX_PROBES) return;
    terminate(transport);
    this.end(guarded, 'too many probes');
  }

  private end(guarded: Guarded, why: string): void {
    if (guarded.ended) return;
    guarded.ended = true;
    this.violations.set(why, (this.violations.get(why) ?? 0) + 1);
    cut(guarded.conn);
  }

  private sweep(nowMs: number): void {
    for (const guarded of this.strangers) {
      if (nowMs - guarded.strangerSinceMs < STRANGER_MS) break;
      this.strangers.delete(guarded);
      this.end(guarded, 'nobody knows who it is');
    }
    this.sweeps += 1;
    if (this.sweeps % 4 === 0) this.tell();
  }

  /** At most one line a second of each kind, however many connections a flood costs. */
  private tell(): void {
    for (const [why, count] of this.violations) {
      this.logger.warn(`ended ${count} ${count === 1 ? 'connection' : 'connections'}: ${why}`);
    }
    this.violations.clear();
  }
}

/** Where a connection keeps what it has used: one listener then serves all of them. */
const GUARDED = Symbol('guarded');

const guardedOf = (conn: EngineConnection): Guarded | undefined =>
  (conn as EngineConnection & { [GUARDED]?: Guarded })[GUARDED];

function onPacket(this: EngineConnection, packet: Packet): void {
  const guarded = guardedOf(this);
  guarded?.bounds.received(guarded, packet);
}

function onClose(this: EngineConnection): void {
  const guarded = guardedOf(this);
  guarded?.bounds.closed(guarded);
}

function onUpgrading(this: EngineConnection, transport: unknown): void {
  const guarded = guardedOf(this);
  guarded?.bounds.probed(guarded, transport);
}

function onUpgrade(this: EngineConnection): void {
  limitPayload(this, guardedOf(this)?.maxBytes ?? 0);
}
