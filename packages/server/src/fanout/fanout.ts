import type {
  ClientToServerEvents,
  DisconnectReason,
  EventName,
  EventPayload,
  ServerToClientEvents,
} from '@curbline/contract';
import { Injectable } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { personKey, type Actor, type PersonRef } from '../actor.js';
import type { Printed } from '../printed.js';
import { Packet } from './packet.js';

/** The way to one client. */
export interface Line {
  readonly socketId: string;
  /** Writes a packet of Socket.IO. What one turn of the event loop writes leaves together. */
  write(packet: Packet): void;
  /** The same at once, after what this turn has written. */
  writeNow(packet: Packet): void;
}

/** What stays with a socket for its life. `user` is also at `socket.user`, as the founding tutorial reads it. */
export interface SocketData {
  user: Actor;
  /** Seconds since the epoch when the token ends. */
  expires_at_s: number;
  /** Once it is connected. */
  line: Line;
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

const HANDSHAKE_LIMIT_MS = 30_000;
const NOBODY: readonly Line[] = [];

/**
 * Tells people: every socket of theirs hears what they are told. The row is the truth and the event a hint; nothing here is kept
 * or repeated.
 */
@Injectable()
export class Fanout {
  private server: ChatServer | undefined;
  /**
   * Each person's lines of this node, oldest first. Not rooms of Socket.IO, which are two more maps and as many objects: of four thousand
   * people who write in turn, each of these is a wait for memory, and each who comes pays for them.
   */
  private readonly lines = new Map<string, Line[]>();
  /** When the sockets of a person were ended, for as long as a handshake may have been under way then. */
  private readonly ended = new Map<string, number>();

  attach(server: ChatServer): void {
    this.server = server;
  }

  /** From now on who has this key is told on this line, too. */
  add(key: string, line: Line): void {
    const lines = this.lines.get(key);
    if (lines) lines.push(line);
    else this.lines.set(key, [line]);
  }

  /** The lines of who has this key, oldest first. */
  of(key: string): readonly Line[] {
    return this.lines.get(key) ?? NOBODY;
  }

  /** The client has left. */
  remove(key: string, line: Line): void {
    const rest = this.lines.get(key)?.filter((each) => each !== line) ?? [];
    if (rest.length > 0) this.lines.set(key, rest);
    else this.lines.delete(key);
  }

  /** To every socket of these people, but the one that asked: it has the answer. */
  toPeople<N extends EventName>(
    people: readonly PersonRef[],
    event: N,
    payload: EventPayload<N>,
    exceptSocketId?: string,
  ): void {
    this.writeTo(people.map(personKey), () => packetOf(event, JSON.stringify(payload)), exceptSocketId);
  }

  /** The same for a payload that is spelled already, and for people by their keys. */
  toKeys<N extends EventName>(
    keys: readonly string[],
    event: N,
    payload: Printed<EventPayload<N>>,
    exceptSocketId?: string,
  ): void {
    this.writeTo(keys, () => packetOf(event, payload.json), exceptSocketId);
  }

  private writeTo(keys: readonly string[], print: () => Packet, exceptSocketId: string | undefined): void {
    let packet: Packet | undefined;
    for (const key of keys) {
      // A line that breaks while it is written to takes itself out of a list of its own.
      for (const line of this.of(key)) if (line.socketId !== exceptSocketId) line.write((packet ??= print()));
    }
  }

  /** All sockets of this node of the person who has this one. */
  *besides(socketId: string): Generator<ChatSocket> {
    const namespace = this.server?.sockets;
    const user = namespace?.sockets.get(socketId)?.data.user;
    for (const line of user ? this.of(user.key) : NOBODY) {
      const socket = namespace?.sockets.get(line.socketId);
      if (socket) yield socket;
    }
  }

  toSocket<N extends EventName>(socketId: string, event: N, payload: EventPayload<N>): void {
    const socket = this.server?.sockets.sockets.get(socketId);
    if (socket) emit(socket, event, payload);
  }

  /** Says why, then closes this node's sockets of a person; the clients do not come back by themselves. */
  endPerson(person: PersonRef, reason: DisconnectReason): void {
    const key = personKey(person);
    const now = performance.now();
    this.ended.set(key, now);
    setTimeout(() => {
      if (this.ended.get(key) === now) this.ended.delete(key);
    }, HANDSHAKE_LIMIT_MS).unref();
    // One that has ended takes itself out of a list of its own.
    for (const { socketId } of this.of(key)) this.endSocket(socketId, reason);
  }

  /** Whether the sockets of this person were ended after that moment of the process's own clock. */
  wasEndedSince(person: PersonRef, atMs: number): boolean {
    return (this.ended.get(personKey(person)) ?? Number.NEGATIVE_INFINITY) >= atMs;
  }

  /** Says why, then closes a socket; its client does not come back by itself. */
  endSocket(socketId: string, reason: DisconnectReason): void {
    this.sayGoodbye(socketId, reason);
    this.server?.sockets.sockets.get(socketId)?.disconnect(true);
  }

  /** Says why a socket is about to be closed. */
  sayGoodbye(socketId: string, reason: DisconnectReason, retryAfterMs?: number): void {
    this.toSocket(socketId, 'disconnected', {
      reason,
      message: 'Socket disconnected',
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    });
  }

  /** Ends the connection below a socket, once what is buffered is flushed: its client comes back by itself. */
  closeConnection(socketId: string): void {
    this.server?.sockets.sockets.get(socketId)?.conn.close();
  }

  /** Ids of all sockets of this node. */
  get socketIds(): string[] {
    return [...(this.server?.sockets.sockets.keys() ?? [])];
  }
}

const SOCKET_EVENT = '2';

const packetOf = (event: EventName, json: string): Packet =>
  new Packet(`${SOCKET_EVENT}["${event}",${json}]`);

interface Emitter {
  emit(event: string, payload: unknown): unknown;
}

function emit<N extends EventName>(target: unknown, event: N, payload: EventPayload<N>): void {
  // Socket.IO types `emit` by overloads that a generic event name cannot select; ours is checked by EventPayload.
  (target as Emitter).emit(event, payload);
}
