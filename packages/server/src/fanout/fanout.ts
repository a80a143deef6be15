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

/** What stays with a socket for its life. `user` is also at `socket.user`, as the founding tutorial reads it. */
export interface SocketData {
  user: PersonRef & { name?: string; type: string };
  /** Seconds since the epoch when the token ends. */
  expires_at_s: number;
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

const engineCloseDelayMs = 100;

/**
 * Tells people. A person is a room: every socket of theirs, on any node, hears what they are told. The row is
 * the truth and the event a hint; nothing here is kept or repeated.
 */
@Injectable()
export class Fanout {
  private server: ChatServer | undefined;

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
    if (this.server === undefined || people.length === 0) return;
    const rooms = this.server.to(people.map(personKey));
    emit(exceptSocketId === undefined ? rooms : rooms.except(exceptSocketId), event, payload);
  }

  toSocket<N extends EventName>(socketId: string, event: N, payload: EventPayload<N>): void {
    const socket = this.server?.sockets.sockets.get(socketId);
    if (socket) emit(socket, event, payload);
  }

  /**
   * Says why, then closes this node's sockets of a person. `goodbye` tells clients not to come back by themselves;
   * without it the connection just ends and they do.
   */
  endPerson(person: PersonRef, reason: DisconnectReason, goodbye: boolean): void {
    for (const socketId of this.server?.sockets.adapter.rooms.get(personKey(person)) ?? []) {
      this.endSocket(socketId, reason, goodbye);
    }
  }

  endSocket(socketId: string, reason: DisconnectReason, goodbye: boolean, retryAfterMs?: number): void {
    const socket = this.server?.sockets.sockets.get(socketId);
    if (!socket) return;
    socket.emit('disconnected', {
      reason,
      message: 'Socket disconnected',
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    });
    if (goodbye) socket.disconnect(true);
    // Closing flushes what is buffered, the event above included.
    else setTimeout(() => socket.conn.close(), engineCloseDelayMs).unref();
  }

  /** Ids of all sockets of this node. */
  get socketIds(): string[] {
    return [...(this.server?.sockets.sockets.keys() ?? [])];
  }
}

interface Emitter {
  emit(event: string, payload: unknown): unknown;
}

function emit<N extends EventName>(target: unknown, event: N, payload: EventPayload<N>): void {
  // Socket.IO types `emit` by overloads that a generic event name cannot select; ours is checked by EventPayload.
  (target as Emitter).emit(event, payload);
}
