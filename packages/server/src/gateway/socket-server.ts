import type { Server as HttpServer } from 'node:http';
import { SOCKET_PATH } from '@curbline/contract';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Server } from 'socket.io';
import { SocketActor } from '../actor.js';
import { Authenticator } from '../auth/authenticator.js';
import { clientTypeOf, tokenOf } from '../auth/handshake.js';
import { Origins } from '../auth/origins.js';
import { SessionsService } from '../auth/sessions.service.js';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';
import { Fanout, type ChatServer, type ChatSocket } from '../fanout/fanout.js';
import { Presence } from '../fanout/presence.js';
import { ErrorReport } from '../ops/error-report.js';
import { Backpressure } from './backpressure.js';
import { ConnectionBounds, MAX_PAYLOAD_BYTES, STRANGER_MS } from './connection-bounds.js';
import { Dispatcher } from './dispatcher.js';
import { forgetRequest, isOver, mayUpgrade, terminate, type EngineConnection } from './engine-connection.js';
import { LiveSocket } from './live-socket.js';
import { packetParser } from './packet-parser.js';
import { readPlainQuery } from './plain-query.js';
import { isUnder, letPagesPoll } from './polling-cors.js';
import { SlowConsumers } from './slow-consumers.js';
import { LeanWebSocketServer, StockWebSocketServer } from './websocket-engine.js';

/** Far more devices than a person has; a runaway client costs no more than this. */
const SOCKETS_PER_PERSON = 100;
/** A command is answered within two seconds, be it by `unavailable`. */
const DRAIN_MS = 3_000;
/** For the last packets to leave and for the peers to agree, once every connection is closing. */
const FAREWELL_MS = 1_000;
const LOOK_EVERY_MS = 20;
/** What is kept of a handshake: its token and headers are of no use any more. */
const FORGOTTEN = Object.freeze({ headers: {}, query: {}, auth: {}, url: '', address: '' });

/** An event that came Socket.IO's way, on whichever socket. */
function onAny(this: ChatSocket, name: unknown, ...args: unknown[]): void {
  const { line } = this.data;
  if (line instanceof LiveSocket) line.heard(name, args);
}

/** The Socket.IO server: who may connect, what a socket is, how it ends. */
@Injectable()
export class SocketServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(SocketServer.name);
  private readonly onError = (error: unknown) => {
    if (error instanceof Error) this.logger.warn(`socket error: ${error.message}`);
  };
  /** One listener for all sockets: it is called on the one that has left. */
  private readonly onDisconnect: (this: ChatSocket) => void;
  private server: ChatServer | undefined;
  private draining = false;

  constructor(
    @Inject(CHAT_OPTIONS) private readonly options: ChatOptions,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(Origins) private readonly origins: Origins,
    @Inject(SessionsService) private readonly sessions: SessionsService,
    @Inject(Fanout) private readonly fanout: Fanout,
    @Inject(Presence) private readonly presence: Presence,
    @Inject(Dispatcher) private readonly dispatcher: Dispatcher,
    @Inject(Backpressure) private readonly pressure: Backpressure,
    @Inject(ErrorReport) private readonly report: ErrorReport,
    @Inject(ConnectionBounds) private readonly bounds: ConnectionBounds,
    @Inject(SlowConsumers) private readonly slow: SlowConsumers,
  ) {
    this.onDisconnect = function onDisconnect(this: ChatSocket) {
      const { user, line } = this.data;
      sessions.remove(this.id);
      fanout.remove(user.key, line);
      presence.disconnected(user);
      if (line instanceof LiveSocket) line.left();
    };
  }

  onApplicationBootstrap(): void {
    const { sockets = {} } = this.options;
    const http = this.host.httpAdapter.getHttpServer() as HttpServer;
    const path = sockets.path ?? SOCKET_PATH;
    const server: ChatServer = new Server(http, {
      path,
      serveClient: false,
      pingInterval: sockets.pingIntervalMs ?? 15_000,
      pingTimeout: sockets.pingTimeoutMs ?? 10_000,
      maxHttpBufferSize: sockets.maxPayloadBytes ?? MAX_PAYLOAD_BYTES,
      ...(sockets.engine === 'stock'
        ? { wsEngine: StockWebSocketServer }
        : { wsEngine: LeanWebSocketServer, parser: packetParser }),
      transports: sockets.transports ?? ['websocket', 'polling'],
      connectTimeout: STRANGER_MS,
      // CORS does not stop a WebSocket from a foreign page: every transport is checked here.
      allowRequest: (request, decide) => {
        const { origin, host } = request.headers;
        if (this.draining) decide('the server is shutting down', false);
        else decide(null, this.origins.allows(origin, host));
      },
    });
    const isOurs = isUnder(path);
    http.prependListener('upgrade', (request) => {
      if (isOurs(request)) readPlainQuery(request);
    });
    letPagesPoll(http, isOurs, this.origins);
    server.use((socket, next) => {
      this.authenticate(socket).then(
        () => next(),
        (error: unknown) => next(this.refusal(error)),
      );
    });
    server.on('connection', (socket) => this.connected(socket));
    this.fanout.attach(server);
    this.bounds.start(server);
    this.slow.start(server);
    this.sessions.start({
      expiring: (socketId, at) =>
        this.fanout.toSocket(socketId, 'token.expiring', { expires_at: at.toISOString() }),
      expired: (socketId) => this.fanout.endSocket(socketId, 'token_expired'),
    });
    this.server = server;
  }

  /** Says goodbye, lets commands that run be answered, and closes so that clients come back by themselves. */
  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    this.sessions.stop();
    this.slow.stop();
    this.bounds.stop();
    this.presence.stop();
    this.dispatcher.stop();
    const socketIds = this.fanout.socketIds;
    for (const socketId of socketIds) {
      // Spread over time, so that a fleet does not come back in one second.
      this.fanout.sayGoodbye(socketId, 'shutting_down', 500 + Math.round(Math.random() * 2_000));
    }
    await within(DRAIN_MS, () => this.dispatcher.inFlight === 0);
    const leaving = socketIds.flatMap((id) => this.server?.sockets.sockets.get(id)?.conn ?? []);
    for (const socketId of socketIds) this.fanout.closeConnection(socketId);
    if (socketIds.length > 0) await within(FAREWELL_MS, () => leaving.every(isOver));
    // Whoever came meanwhile, never said who they are, or does not answer the closing handshake.
    const staying = new Set([...leaving, ...this.connections()]);
    this.server?.engine.close();
    for (const { transport } of staying) terminate(transport);
    this.logger.log(`closed ${socketIds.length} sockets`);
  }

  private connections(): EngineConnection[] {
    // engine.io keeps them to itself: there is no public way to those who have no namespace yet.
    const engine = this.server?.engine as unknown as
      | { clients: Record<string, EngineConnection> }
      | undefined;
    return Object.values(engine?.clients ?? {});
  }

  private async authenticate(socket: ChatSocket): Promise<void> {
    const { handshake } = socket;
    const cameAtMs = performance.now();
    const token = tokenOf(handshake, this.options.queryToken ?? false);
    if (token === undefined) throw new ChatError('unauthenticated');
    const { user_id, scope, name, expires_at_s } = await this.authenticator.identify(token);
    const user = new SocketActor({
      user_id,
      scope,
      type: clientTypeOf(handshake),
      ...(name !== undefined && { name }),
      socketId: socket.id,
      cameAtMs,
    });
    socket.data.user = user;
    socket.data.expires_at_s = expires_at_s;
    // Where the founding tutorial's handlers look for it.
    Object.assign(socket, { user });
  }

  /** What a refused client finds in `connect_error`: the contract's error as `data`. */
  private refusal(thrown: unknown): Error {
    const error = this.report.describe(thrown, 'handshake');
    return Object.assign(new Error(error.message), { data: { error } });
  }

  private connected(socket: ChatSocket): void {
    const { user, expires_at_s } = socket.data;
    const live = new LiveSocket(
      socket,
      this.bounds.admit(socket),
      this.slow.admit(socket),
      this.dispatcher,
      this.pressure,
    );
    socket.data.line = live;
    socket.on('disconnect', this.onDisconnect);
    // Without a listener, an error event of a socket would end the process. Clients can emit one too, of anything.
    socket.on('error', this.onError);
    forgetRequest(socket.conn);
    Object.assign(socket, { handshake: FORGOTTEN });
    this.fanout.add(user.key, live);
    this.closeOldest(user);
    this.presence.connected(user);
    this.sessions.add(socket.id, expires_at_s);
    // Revocations were asked before this socket could be found; one that came in between counts too.
    if (this.fanout.wasEndedSince(user, user.cameAtMs)) {
      this.fanout.endSocket(socket.id, 'revoked');
      return;
    }
    socket.onAny(onAny);
    live.readDirectly();
    if (mayUpgrade(socket.conn)) socket.conn.once('upgrade', () => live.readDirectly());
  }

  private closeOldest(user: ChatSocket['data']['user']): void {
    const mine = this.fanout.of(user.key);
    const [oldest] = mine;
    if (mine.length > SOCKETS_PER_PERSON && oldest) {
      this.server?.sockets.sockets.get(oldest.socketId)?.disconnect(true);
    }
  }
}

/** Waits for a fact, but no longer than that. */
async function within(limitMs: number, fact: () => boolean): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!fact() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
