import type { CannedCatalogue } from '@curbline/contract';
import type { PolicyTable } from './policy-table.js';

/** Where log lines go: Nest's `Logger` fits. */
export interface ChatLogger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, stack?: string): void;
  debug(message: string): void;
}

/** Where the rows live: a PostgreSQL server, or a real one of our own in a folder. */
export type DatabaseLocation = { url: string } | { dataDir: string };

/** How user tokens are checked. At least one of `secret` and `jwksUrl`. */
export interface TokenOptions {
  /** Shared secret for HS256, at least 32 bytes. Also signs the tokens of `POST /v1/tokens`. */
  secret?: string;
  /** Key set for RS256, ES256 and EdDSA. */
  jwksUrl?: string;
}

/** Settings of the Socket.IO server. */
export interface SocketOptions {
  /** Default `/socket.io/`. Change it when the host has a Socket.IO server of its own on this path. */
  path?: string;
  /** Milliseconds, default 15,000. */
  pingIntervalMs?: number;
  /** Milliseconds, default 10,000. */
  pingTimeoutMs?: number;
  /** Bytes, default 65,536. */
  maxPayloadBytes?: number;
  /** Default both. */
  transports?: ('websocket' | 'polling')[];
  /**
   * `lean` reads and writes websockets with code of Curbline's own; `stock` leaves all of it to Socket.IO, at half
   * of the speed. Default `lean`.
   */
  engine?: 'lean' | 'stock';
}

/** Options of `ChatModule.forRoot`. */
export interface ChatOptions {
  /** `{ dataDir }` runs a real PostgreSQL in that folder; `{ url }` uses a server. */
  database: DatabaseLocation;
  /** PostgreSQL schema for the tables, made when missing. Default: the connection's own. */
  schema?: string;
  tokens: TokenOptions;
  /** Keys that `/v1` accepts as `Authorization: Bearer`. */
  apiKeys: readonly string[];
  /** Origins that browsers may connect from; `'*'` for any. Default: only the server's own. */
  origins?: readonly string[];
  /** Accept a token in the query string, as the founding tutorial does. Default false. */
  queryToken?: boolean;
  /** Replaces the default booking policy. */
  policy?: PolicyTable;
  /** Seconds a chat stays open after a closing status. Default 900. */
  graceS?: number;
  /** Days until bodies are erased. Default 90. */
  retentionDays?: number;
  /** Messages a second for one person; 0 switches the limit off. Default 5. */
  messagesPerS?: number;
  /** Messages one person may send at once. Default 20. */
  messagesBurst?: number;
  /** Replaces the default catalogue of canned messages. */
  canned?: CannedCatalogue;
  sockets?: SocketOptions;
}

/** Injection token of the options. */
export const CHAT_OPTIONS = Symbol('curbline.options');
