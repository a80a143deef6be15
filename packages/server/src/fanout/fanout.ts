import type {
  ClientToServerEvents,
  DisconnectReason,
  EventName,
  EventPayload,
  ServerToClientEvents,
} from '@curbline/contract';
import { Injectable } from '@nestjs/common';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { personKey, type PersonRef } from '../actor.js';
import { textFrame } from './text-frame.js';

/** What stays with a socket for its life. `user` is also at `socket.user`, as the founding tutorial reads it. */
export interface SocketData {
  user: PersonRef & { name?: string; type: string };
  /** Seconds since the epoch when the token ends. */
  expires_at_s: number;
  /** On the process's own clock, when the handshake began. */
  asked_at_ms: number;
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

const HANDSHAKE_LIMIT_MS = 30_000;

/**
 * Tells people. A person is a room: every socket of theirs, on any node, hears what they are told. The row is
 * the truth and the event a hint; nothing here is kept or repeated.
 */
@Injectable()
export class Fanout {
  private server: ChatServer | undefined;
  /** When the sockets of a person were ended, for as long as a handshake may have been under way then. */
  private readonly ended = new Map<string, number>();

  attach(server: ChatServer): void {
    this.server = server;
  }

  /** To every socket of these people, but the one that asked: it has the answer. */
  toPeople<N extends EventName>(
    people: readonly PersonRef[],
    event: N,
    payload: EventPayload<N>,
    exceptSocketId?: string,
  ): void {
    const namespace = this.server?.sockets;
    if (!namespace) return;
    let printed: Printed | undefined;
    for (const person of people) {
      for (const socketId of namespace.adapter.rooms.get(personKey(person)) ?? []) {
        const socket = socketId === exceptSocketId ? undefined : namespace.sockets.get(socketId);
        if (!socket?.connected) continue;
        printed ??= print(event, payload);
        // What Socket.IO's own broadcast does in the end, without its way there: half of the cost of a message.
        socket.conn.write(printed.packet, printed.options);
      }
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
    for (const socketId of this.server?.sockets.adapter.rooms.get(key) ?? []) {
      this.endSocket(socketId, reason);
    }
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

/** A packet that is printed once for all its receivers: as text for polling, as a frame for websockets. */
interface Printed {
  readonly packet: string;
  readonly options: { readonly compress: false; readonly wsPreEncodedFrame: Buffer[] };
}

const ENGINE_MESSAGE = '4';
const SOCKET_EVENT = '2';

function print(event: EventName, payload: unknown): Printed {
  const packet = `${SOCKET_EVENT}${JSON.stringify([event, payload])}`;
  return { packet, options: { compress: false, wsPreEncodedFrame: [textFrame(ENGINE_MESSAGE + packet)] } };
}

interface Emitter {
  emit(event: string, payload: unknown): unknown;
}

function emit<N extends EventName>(target: unknown, event: N, payload: EventPayload<N>): void {
  // Socket.IO types `emit` by overloads that a generic event name cannot select; ours is checked by EventPayload.
  (target as Emitter).emit(event, payload);
}
