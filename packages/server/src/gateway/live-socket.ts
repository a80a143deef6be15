import type { Actor } from '../actor.js';
import type { ChatSocket } from '../fanout/fanout.js';
import type { Packet } from '../fanout/packet.js';
import type { Backpressure } from './backpressure.js';
import { SUSPICIOUS_LENGTH, type Guarded } from './connection-bounds.js';
import type { Caller, Dispatcher } from './dispatcher.js';
import { awaitsPong, isReady, leanSocketOf, type EngineConnection } from './engine-connection.js';
import { LITTLE } from './held-frames.js';
import type { LeanWebSocket, TextReader } from './lean-websocket.js';
import { plainEvent } from './packet-parser.js';
import { plainTextEvent } from './plain-text.js';
import type { Outgoing } from './slow-consumers.js';

/** Events of one client that are served in a turn of the event loop, where they come Socket.IO's way: on polling, a payload brings thousands. */
const AT_ONCE = 128;
/** engine.io's type of a packet that carries one of Socket.IO's. */
const MESSAGE = '4'.charCodeAt(0);

/**
 * An authenticated socket: how it is read, and how it is written to. One object instead of a handful of closures, because
 * there are ten thousand of them.
 */
export class LiveSocket implements Caller, TextReader {
  readonly socketId: string;
  isThere = true;
  private readonly actor: Actor;
  private readonly conn: EngineConnection;
  /** What carries it, once it is a websocket of ours: then it stays so. */
  private websocket: LeanWebSocket | undefined;
  /** Something larger was written: what waits is looked at again. */
  private isWatched = false;
  private servedNow = 0;
  /** What came beyond that, by name and arguments. */
  private backlog: [unknown, unknown[]][] | undefined;

  constructor(
    readonly socket: ChatSocket,
    readonly guarded: Guarded,
    private readonly outgoing: Outgoing,
    private readonly dispatcher: Dispatcher,
    private readonly pressure: Backpressure,
  ) {
    this.socketId = socket.id;
    this.actor = socket.data.user;
    this.conn = socket.conn;
  }

  /**
   * Past engine.io where a websocket of ours is ready, else through it. Of one that is clear nothing waits in engine.io either, which hands over
   * at once: of thousands who are told in turn, each object that need not be looked at is a wait for memory less.
   */
  write(packet: Packet): void {
    const { conn, websocket, isWatched } = this;
    const { length } = packet.text;
    if (websocket?.isClear === true && length <= LITTLE && !isWatched) {
      websocket.push(packet.frame);
      return;
    }
    if (websocket === undefined || !isReady(conn)) {
      conn.write(packet.text, { compress: false });
      return;
    }
    this.outgoing.slow.watchWrite(conn, this.outgoing, length);
    this.isWatched = this.outgoing.largestBytes > LITTLE;
    websocket.push(packet.frame);
  }

  writeNow(packet: Packet): void {
    this.write(packet);
    this.websocket?.release();
  }

  /**
   * Events of an authenticated websocket go straight to the dispatcher. Whatever is not a plain event, whatever is
   * large enough to deserve a look first, and everything on polling takes Socket.IO's way.
   */
  read(text: string): boolean {
    const { conn, guarded, websocket } = this;
    if (text.charCodeAt(0) !== MESSAGE || text.length > SUSPICIOUS_LENGTH) return false;
    // Nothing may overtake what came before a socket left polling.
    if (!this.isThere || this.backlog !== undefined) return false;
    // A connection that is closed, or closing, has closed its websocket.
    if (websocket?.readyState !== 1 || awaitsPong(conn)) return false;
    const event = plainTextEvent(text) ?? plainEvent(text, 1);
    if (event === undefined) return false;
    if (!guarded.bounds.allows(guarded)) return true;
    void this.dispatcher.answer(this, this.actor, event);
    this.pressure.heard(websocket);
    return true;
  }

  /** Its client has left Socket.IO; the connection below may still be there. */
  left(): void {
    this.isThere = false;
    this.guarded.bounds.left(this.guarded);
  }

  /** Takes the texts of its websocket, when that is what carries it now. */
  readDirectly(): void {
    this.websocket = leanSocketOf(this.conn);
    if (this.websocket) this.websocket.reader = this;
  }

  /**
   * An event that came Socket.IO's way. It still brings what was read together with a client's leave: that ends the connection, as what is read
   * a moment later does.
   */
  heard(name: unknown, args: unknown[]): void {
    if (!this.isThere) {
      this.conn.close();
      return;
    }
    this.serve(name, args);
  }

  private serve(name: unknown, args: unknown[]): void {
    if (this.backlog !== undefined) this.backlog.push([name, args]);
    else if (this.servedNow === AT_ONCE) this.backlog = [[name, args]];
    else {
      if (this.servedNow === 0) setImmediate(() => this.nextTurn());
      this.servedNow += 1;
      void this.dispatcher.dispatch(this.socket, this.actor, name, args);
    }
  }

  /** Who has left meanwhile is served what they asked before, as without a backlog; who was cut off is not. */
  private nextTurn(): void {
    const { backlog } = this;
    this.servedNow = 0;
    this.backlog = undefined;
    if (backlog === undefined || this.guarded.ended) return;
    for (const [name, args] of backlog) this.serve(name, args);
  }
}
