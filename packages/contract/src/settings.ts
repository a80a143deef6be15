import { z } from 'zod';

/** One setting of the stand-alone server: an environment variable, its shape, its defaults. */
export interface Setting {
  /** Parses the text of the variable. */
  schema: z.ZodType<unknown, string>;
  /** What a person is told the value must look like. */
  shape: string;
  /** Default, as a person would write it; null for none. */
  default: string | null;
  /** Default with `NODE_ENV=production`, where it differs. */
  productionDefault?: string | null;
  description: string;
}

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
const text = z.string().min(1);
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
const url = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol));

/** Scheme, host, port and no path: what a browser writes into `Origin`, or that with a slash behind it. */
const isOrigin = (text: string) => URL.canParse(text) && /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+\/?$/i.test(text);

/** Section 10 of the contract, in its order. */
export const settings = {
  CURBLINE_HOST: {
    schema: text,
    shape: 'an address to listen on',
    default: '127.0.0.1',
    description: 'where to listen',
  },
  CURBLINE_PORT: {
    schema: integer(0, 65_535),
    shape: 'a port, 0 to 65535',
    default: '5000',
    description: 'port to listen on; 0 takes a free one, the ready line prints the real one',
  },
  CURBLINE_DATA_DIR: {
    schema: text,
    shape: 'a folder',
    default: '.curbline',
    description: 'embedded database, dev keys (dev-keys.json), attachments',
  },
  CURBLINE_DATABASE_URL: {
    schema: url('postgres:', 'postgresql:'),
    shape: 'postgres://user:password@host:5432/database',
    default: null,
    description: 'a PostgreSQL server instead of the embedded one',
  },
  CURBLINE_REDIS_URL: {
    schema: url('redis:', 'rediss:'),
    shape: 'redis://host:6379',
    default: null,
    description: 'Redis or Valkey, for several nodes',
  },
  CURBLINE_TOKEN_SECRET: {
    schema: z.string().refine((value) => new TextEncoder().encode(value).byteLength >= 32),
    shape: 'at least 32 bytes',
    default: 'generated into dev-keys.json',
    productionDefault: null,
    description: 'HS256 secret that user tokens are signed with',
  },
  CURBLINE_JWKS_URL: {
    schema: url('http:', 'https:'),
    shape: 'https://host/.well-known/jwks.json',
    default: null,
    description: 'key set that user tokens are checked with (RS256, ES256, EdDSA)',
  },
  CURBLINE_API_KEYS: {
    schema: list.pipe(z.array(z.string().regex(/^\S+$/)).min(1)),
    shape: 'comma-separated keys without spaces; in production of at least 16 characters each',
    default: 'generated into dev-keys.json',
    productionDefault: null,
    description: 'keys for /v1',
  },
  CURBLINE_CORS_ORIGINS: {
    schema: list.pipe(z.array(z.string().refine((item) => item === '*' || isOrigin(item)))),
    shape: 'comma-separated origins such as https://app.example',
    default: '*',
    productionDefault: null,
    description: 'origins that browsers may connect from',
  },
  CURBLINE_QUERY_TOKEN: {
    schema: onOff,
    shape: 'on or off',
    default: 'on',
    productionDefault: 'off',
    description: 'whether a token in the query string is accepted',
  },
  CURBLINE_POLICY_FILE: {
    schema: text,
    shape: 'a JSON file',
    default: null,
    description: 'replaces the table of the booking policy',
  },
  CURBLINE_CANNED_FILE: {
    schema: text,
    shape: 'a JSON file',
    default: null,
    description: 'replaces the catalogue of canned messages',
  },
  CURBLINE_GRACE_S: {
    schema: integer(0, 31_536_000),
    shape: 'whole seconds, 0 to 31536000',
    default: '900',
    description: 'how long a chat stays open after a closing status',
  },
  CURBLINE_RETENTION_DAYS: {
    schema: integer(0, 36_500),
    shape: 'whole days, 0 to 36500',
    default: '90',
    description: 'how long bodies are kept after the chat has ended',
  },
  CURBLINE_WEBHOOK_URL: {
    schema: url('http:', 'https:'),
    shape: 'https://host/path',
    default: null,
    description: 'where webhooks are sent',
  },
  CURBLINE_WEBHOOK_SECRET: {
    schema: list.pipe(z.array(z.string().startsWith('whsec_')).min(1).max(2)),
    shape: 'one or two whsec_ secrets, separated by a comma',
    default: null,
    description: 'signs webhooks',
  },
  CURBLINE_UNDELIVERED_AFTER_S: {
    schema: integer(1, 86_400),
    shape: 'whole seconds, 1 to 86400',
    default: '20',
    description: 'when a message without a delivered receipt is reported to the host',
  },
  CURBLINE_WEBHOOK_ALLOW_PRIVATE: {
    schema: onOff,
    shape: 'on or off',
    default: 'on',
    productionDefault: 'off',
    description: 'whether webhooks may go to private addresses',
  },
  CURBLINE_MESSAGES_PER_S: {
    schema: integer(0, 100_000),
    shape: 'whole messages a second, 1 to 100000; 0 switches the limit off',
    default: '5',
    description: 'sustained rate of messages for one person',
  },
  CURBLINE_MESSAGES_BURST: {
    schema: integer(1, 100_000),
    shape: 'whole messages, 1 to 100000',
    default: '20',
    description: 'how many messages one person may send at once',
  },
  CURBLINE_LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    shape: 'fatal, error, warn, info, debug, trace or silent',
    default: 'info',
    description: 'JSON lines on standard output',
  },
  CURBLINE_PING_INTERVAL_MS: {
    schema: integer(200, 600_000),
    shape: 'whole milliseconds, 200 to 600000',
    default: '15000',
    description: 'how often the server asks a socket for a sign of life',
  },
  CURBLINE_PING_TIMEOUT_MS: {
    schema: integer(200, 600_000),
    shape: 'whole milliseconds, 200 to 600000',
    default: '10000',
    description: 'how long a socket may be silent after that',
  },
  CURBLINE_MAX_PAYLOAD_BYTES: {
    schema: integer(1_024, 10_485_760),
    shape: 'whole bytes, 1024 to 10485760',
    default: '65536',
    description: 'largest payload of an authenticated socket',
  },
  CURBLINE_TRANSPORTS: {
    schema: list.pipe(z.array(z.enum(['websocket', 'polling'])).min(1)),
    shape: 'websocket, polling, or both',
    default: 'websocket,polling',
    description: 'transports of Engine.IO',
  },
  CURBLINE_SOCKET_ENGINE: {
    schema: z.enum(['lean', 'stock']),
    shape: 'lean or stock',
    default: 'lean',
    description:
      'websockets read and written by Curbline (lean), or all of it by Socket.IO (stock), at half the speed',
  },
  NODE_ENV: {
    schema: z.string(),
    shape: 'production or anything else',
    default: null,
    description: 'production refuses dev keys and unsafe defaults',
  },
} as const satisfies Record<string, Setting>;

/** The name of a setting, e.g. `'CURBLINE_PORT'`. */
export type SettingName = keyof typeof settings;
/** The parsed value of a setting. */
export type SettingValue<N extends SettingName> = z.output<(typeof settings)[N]['schema']>;
