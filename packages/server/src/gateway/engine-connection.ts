import type { Socket } from 'engine.io';
import { LeanWebSocket } from './lean-websocket.js';

/** What Socket.IO calls `conn`: one client's link, whatever transport carries it. */
export type EngineConnection = Socket;

/** What ws and engine.io keep to themselves: there is no public way to the link below a transport. */
interface Insides {
  readonly name: string;
  /** The websocket, when that is the transport. */
  readonly socket?: {
    readonly bufferedAmount: number;
    readonly readyState: number;
    readonly _receiver?: { _maxPayload: number };
    maxPayload?: number;
    terminate(): void;
  };
  /** The response that waits for something to say, when polling is the transport. */
  readonly res?: PollResponse | null;
  maxHttpBufferSize?: number;
  closeTimeout?: number;
}

/** The response of a poll. */
export interface PollResponse {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

const WEBSOCKET_CLOSED = 3;

const insidesOf = (transport: unknown): Insides => transport as Insides;

/** What engine.io keeps to itself of a connection. */
interface ConnectionInsides {
  readonly pingTimeoutTimer: NodeJS.Timeout | null;
  readonly writeBuffer: readonly unknown[];
}

/** The websocket of ours that carries a connection. */
export function leanSocketOf(conn: EngineConnection): LeanWebSocket | undefined {
  const { socket } = insidesOf(conn.transport);
  return socket instanceof LeanWebSocket ? socket : undefined;
}

/** An open connection for which nothing waits in engine.io: what is written past it overtakes nothing. */
export const isReady = (conn: EngineConnection): boolean =>
  conn.readyState === 'open' &&
  conn.transport.writable &&
  (conn as unknown as ConnectionInsides).writeBuffer.length === 0;

interface HandshakeRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly _query?: Readonly<Record<string, unknown>>;
}

/** What a second handshake on the same connection may still be judged by. */
const KEPT_HEADERS = ['authorization', 'token', 'origin'];
const KEPT_QUERY = ['token', 'type'];

/** Lets go of the request that began a connection: with its headers and streams it is a third of an idle socket. */
export function forgetRequest(conn: EngineConnection): void {
  const request = (conn as unknown as { request?: HandshakeRequest }).request;
  if (request === undefined) return;
  const headers = picked(KEPT_HEADERS, request.headers);
  const _query = picked(KEPT_QUERY, request._query);
  const bare = headers === NOTHING && _query === NOTHING;
  Object.assign(conn, { request: bare ? BARE : { ...BARE, headers, _query } });
}

const NOTHING = {};
/** What Socket.IO reads of a request. TLS never ends here. */
const BARE = { headers: NOTHING, _query: NOTHING, url: '', connection: NOTHING };

function picked(names: readonly string[], from: Readonly<Record<string, unknown>> = NOTHING): object {
  let found: Record<string, unknown> | undefined;
  for (const name of names) if (Object.hasOwn(from, name)) (found ??= {})[name] = from[name];
  return found ?? NOTHING;
}

/** A ping is under way: engine.io takes any packet for a sign of life, and must see it. */
export const awaitsPong = (conn: EngineConnection): boolean =>
  (conn as unknown as ConnectionInsides).pingTimeoutTimer !== null;

/** It began with polling, and a websocket may take over. */
export const mayUpgrade = (conn: EngineConnection): boolean => insidesOf(conn.transport).name === 'polling';

/** Bytes that the websocket has taken and the network has not; 0 for polling. */
export const unsentBytes = (conn: EngineConnection): number =>
  insidesOf(conn.transport).socket?.bufferedAmount ?? 0;

/** The poll that is about to be answered. */
export const pollResponse = (conn: EngineConnection): PollResponse | undefined => {
  const { name, res } = insidesOf(conn.transport);
  return name === 'polling' ? (res ?? undefined) : undefined;
};

/** From now on no larger payload is even collected: the transport refuses it while it comes in. */
export function limitPayload(conn: EngineConnection, maxBytes: number): void {
  const transport = insidesOf(conn.transport);
  if (transport.name === 'polling') transport.maxHttpBufferSize = maxBytes;
  const { socket } = transport;
  if (socket instanceof LeanWebSocket) socket.maxPayload = maxBytes;
  else if (socket?._receiver) socket._receiver._maxPayload = maxBytes;
}

/** How long a polling client that does not poll may keep a closed connection in memory. */
export function limitPollingClose(conn: EngineConnection, closeTimeoutMs: number): void {
  const transport = insidesOf(conn.transport);
  if (transport.name === 'polling') transport.closeTimeout = closeTimeoutMs;
}

/** Whoever goes on talking to a closed connection is not listened to while the closing handshake takes its time. */
export function endOnChatter(conn: EngineConnection, maxPackets: number): void {
  const { transport } = conn;
  let packets = 0;
  transport.on('packet', () => {
    packets += 1;
    if (packets > maxPackets) terminate(transport);
  });
}

/** Nothing of it is left, the websocket's own closing handshake included. */
export function isOver(conn: EngineConnection): boolean {
  const { socket } = insidesOf(conn.transport);
  return socket === undefined ? conn.readyState === 'closed' : socket.readyState === WEBSOCKET_CLOSED;
}

/** Ends the websocket of a transport without the closing handshake, for which a hostile peer could be waited for. */
export const terminate = (transport: unknown): void => insidesOf(transport).socket?.terminate();

/** Ends a connection now. The client is not told to stay away: an honest one comes back by itself. */
export function cut(conn: EngineConnection): void {
  const { transport } = conn;
  conn.close(true);
  terminate(transport);
}
