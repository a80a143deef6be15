/** How a server is spoken to. */
export type DialectName = 'socket.io' | 'ws';

/** Where the token travels. */
export type TokenPlace = 'auth' | 'header' | 'none';

export interface Seat {
  user_id: string;
  scope: 'driver' | 'customer';
  token: string;
}

export interface Pair {
  booking_id: string;
  driver: Seat;
  customer: Seat;
}

/** Processes whose CPU is read at both ends of the measured window. */
export interface Watched {
  server: number;
  database: number | null;
}

interface Common {
  port: number;
  dialect: DialectName;
  tokenPlace: TokenPlace;
  watch: Watched;
}

export interface MessagesSpec extends Common {
  mode: 'messages';
  pairs: Pair[];
  senders: 'driver' | 'both';
  textBytes: number;
  warmupMs: number;
  measureMs: number;
  /**
   * `closed`: so many in flight for each sender. `rotating`: so many in flight in all, each answer lets the next sender
   * in turn send. `open`: so many a second, whatever the answers do.
   */
  loop: { kind: 'closed' | 'rotating'; inFlight: number } | { kind: 'open'; rate: number };
  /** Any database of the cluster, to count the transactions that wrote; null where nothing is stored. */
  databaseUrl: string | null;
  /** Makes `client_id`s of one run differ from those of any other: 8 hex digits. */
  run: string;
}

export interface IdleSpec extends Common {
  mode: 'idle';
  /** Sockets to hold at each step; after each one the load waits for a line on standard input. */
  steps: number[];
  tokens: string[];
}

export interface HandshakesSpec extends Common {
  mode: 'handshakes';
  tokens: string[];
  concurrency: number;
  warmupMs: number;
  measureMs: number;
}

/** One of the servers that take turns. */
export interface ServerSide {
  kind: 'server';
  port: number;
  dialect: DialectName;
  tokenPlace: TokenPlace;
  /** Its process. */
  server: number;
  pairs: Pair[];
}

/** One statement that takes turns with others, or with a server. */
export interface StatementSide {
  kind: 'statement';
  databaseUrl: string;
  /** Of the connection, as `-c jit=off`. */
  options: string;
  before: string[];
  after: string[];
  sql: string;
  /** PostgreSQL's numbers of the parameters' types, where the statement does not tell them. */
  types: number[];
  /** `booking`, `driver`, `epoch` of the next booking in turn, `uuid`: a new one, `next`: a count; anything else is itself. */
  values: (string | number | null)[];
}

/** How the entries of a batch are handed to PostgreSQL: by arrays and their places, as Curbline does, or otherwise. */
export type Encoding = 'arrays' | 'unnest' | 'unnest, as texts' | 'JSON' | 'COPY';

/** Batches that are stored one after the other, for bookings that are there. */
export interface BatchSide {
  kind: 'batch';
  databaseUrl: string;
  /** Of the connection, as `-c jit=off`. */
  options: string;
  encoding: Encoding;
  size: number;
}

export interface TurnsSpec {
  mode: 'turns';
  sides: (ServerSide | StatementSide | BatchSide)[];
  /** The process that all of PostgreSQL's descend from. */
  database: number;
  textBytes: number;
  /** Each sender has one in flight; so many in flight in all, from one sender after the other; or so many a second. */
  loop: { kind: 'closed' } | { kind: 'rotating'; inFlight: number } | { kind: 'open'; rate: number };
  /** After everybody has come, before the first turn. */
  restMs: number;
  /** Rounds of turns that are not counted, and that are. */
  warmup: number;
  turns: number;
  turnMs: number;
  run: string;
}

/** No server: ways to check a message take turns in the load's own process. */
export interface ChecksSpec {
  mode: 'checks';
  textBytes: number;
  /** Rounds of turns that are not counted, and that are. */
  warmup: number;
  turns: number;
  /** Messages in each turn. */
  each: number;
}

export type LoadSpec = MessagesSpec | IdleSpec | HandshakesSpec | TurnsSpec | ChecksSpec;

/** Microseconds. */
export interface Latency {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/** CPU seconds within the measured window. */
export interface CpuUse {
  server: number;
  database: number;
  load: number;
  /** Everything else that ran on this machine meanwhile: says how far a run can be trusted. */
  others: number;
}

/** A quarter of a second that sent what took longer than `LATE_MS` to its delivery. */
export interface LateQuarter {
  /** After the beginning of the window, in milliseconds. */
  atMs: number;
  messages: number;
  longestMs: number;
}

export interface MessagesResult {
  seconds: number;
  sent: number;
  acked: number;
  delivered: number;
  ackedPerSecond: number;
  deliveredPerSecond: number;
  ack: Latency;
  delivery: Latency;
  cpu: CpuUse;
  /** Transactions that wrote within the window, or null. */
  commits: number | null;
  /** When the window began: milliseconds since 1970. */
  beganMs: number;
  /** The quarters of a second of the window in which a message was sent that was late. */
  late: LateQuarter[];
  /** Over the whole run, warm-up and drain included. */
  total: { sent: number; acked: number; refused: number; delivered: number; twice: number };
  firstRefusal: string | null;
}

export interface HandshakesResult {
  seconds: number;
  handshakes: number;
  failed: number;
  perSecond: number;
  latency: Latency;
  cpu: CpuUse;
}

export interface Turn {
  perSecond: number;
  /** From send to ack. */
  p50Us: number;
  /** CPU for one message. */
  serverUs: number;
  databaseUs: number;
}

export interface TurnsResult {
  /** By side, in their order. */
  turns: Turn[][];
  /** By side, warm-up included. */
  answered: number[];
}

export interface ChecksResult {
  /** By way, nanoseconds for one message in each turn. */
  ns: Record<string, number[]>;
}
