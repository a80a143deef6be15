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

const NOBODY: readonly Line[] = [];

/** The lines of one person on this node, oldest first. Once there are none it stays so: who comes back later gets another one. */
class Listening {
  /** Beside the others, not in a list with them: nearly everybody has one. */
  first: Line | undefined;
  private more: readonly Line[] = NOBODY;

  constructor(first: Line) {
    this.first = first;
  }

  add(line: Line): void {
    this.more = [...this.more, line];
  }

  remove(line: Line): void {
    [this.first, ...this.more] = this.lines().filter((each) => each !== line);
  }

  lines(): readonly Line[] {
    return this.first === undefined ? NOBODY : [this.first, ...this.more];
  }

  /** Lines that come or leave meanwhile change nothing about who is told. */
  tell(print: () => Packet, exceptSocketId: string | undefined): void {
    const { first, more } = this;
    if (first !== undefined && first.socketId !== exceptSocketId) first.write(print());
    for (const line of more) if (line.socketId !== exceptSocketId) line.write(print());
  }
}

/** Somebody who is told again and again. */
export interface Reader {
  readonly key: string;
  /** Where they were found last: where `Fanout` looks first, and nobody else. */
  found: object | undefined;
}

const HANDSHAKE_LIMIT_MS = 30_000;

/**
 * Tells people: every socket of theirs hears what they are told. The row is the truth and the event a hint; nothing here is kept
 * or repeated.
 */
@Injectable()
export class Fanout {
  private server: ChatServer | undefined;
  /**
   * Each person's lines of this node. Not rooms of Socket.IO, which are two more maps and as many objects: of four thousand
   * people who write in turn, each of these is a wait for memory, and each who comes pays for them.
   */
  private readonly people = new Map<string, Listening>();
  /** When the sockets of a person were ended, for as long as a handshake may have been under way then. */
  private readonly ended = new Map<string, number>();

  attach(server: ChatServer): void {
    this.server = server;
  }

  /** From now on who has this key is told on this line, too. */
  add(key: string, line: Line): void {
    const known = this.people.get(key);
    if (known) known.add(line);
    else this.people.set(key, new Listening(line));
  }

  /** The lines of who has this key, oldest first. */
  of(key: string): readonly Line[] {
    return this.people.get(key)?.lines() ?? NOBODY;
  }

  /** The client has left. */
  remove(key: string, line: Line): void {
    const known = this.people.get(key);
    known?.remove(line);
    if (known?.first === undefined) this.people.delete(key);
  }

  /** To every socket of these people, but the one that asked: it has the answer. */
  toPeople<N extends EventName>(
    people: readonly PersonRef[],
    event: N,
    payload: EventPayload<N>,
    exceptSocketId?: string,
  ): void {
    const print = once(() => packetOf(event, JSON.stringify(payload)));
    for (const person of people) this.people.get(personKey(person))?.tell(print, exceptSocketId);
  }

  /** The same for a payload that is spelled already; who asked is one of the readers. */
  toReaders<N extends EventName>(
    readers: readonly Reader[],
    event: N,
    payload: Printed<EventPayload<N>>,
    asker: { readonly reader: Reader; readonly socketId: string },
  ): void {
    const print = once(() => packetOf(event, payload.json));
    for (const reader of readers)
      this.listening(reader)?.tell(print, reader === asker.reader ? asker.socketId : undefined);
  }

  private listening(reader: Reader): Listening | undefined {
    const last = reader.found as Listening | undefined;
    if (last?.first !== undefined) return last;
    const found = this.people.get(reader.key);
    reader.found = found;
    return found;
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

/** Printed when the first asks for it, the same for all. */
function once(print: () => Packet): () => Packet {
  let packet: Packet | undefined;
  return () => (packet ??= print());
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
