import { z } from 'zod';
import { LIMITS } from './limits.js';
import { Booking, CannedBody, Message, Metadata, Person, TextBody } from './model.js';
import { Cursor, Id, Label, PageLimit, ScopeSchema, SeqAsked, SeqBound, Time } from './primitives.js';

/** Who may call: the host with an API key, a person with a token or the host, or anybody. */
export type RouteAuth = 'api_key' | 'api_key_or_token' | 'none';

/** One REST route: its input, its successful answer, and who may call it. */
export interface Route {
  auth: RouteAuth;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  result?: z.ZodType;
  /** HTTP status of success; `PUT` may also answer 201. */
  status: number;
}

const Status = z.string().min(1).max(64).meta({
  description: 'A status of the booking policy; an unknown one is invalid, with the known ones in details',
});
const bookingPath = z.strictObject({ booking_id: Id });
const personPath = z.strictObject({ scope: ScopeSchema, user_id: Id });

/** A page of any list: `next_cursor` is null on the last one. */
const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() });

const numeric = <T extends z.ZodType>(schema: T) =>
  z.preprocess((text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text), schema);

const PutBooking = z.strictObject({
  driver: Person.nullable(),
  customer: Person,
  status: Status,
  metadata: Metadata.optional(),
});

const PatchBooking = z
  .strictObject({
    driver: Person.nullable().optional(),
    customer: Person.optional(),
    status: Status.optional(),
    metadata: Metadata.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'nothing to change' });

const HistoryQuery = z
  .strictObject({
    before_seq: numeric(SeqAsked.optional()),
    after_seq: numeric(SeqAsked.optional()),
    limit: numeric(PageLimit),
  })
  .refine((page) => page.before_seq === undefined || page.after_seq === undefined, {
    message: 'before_seq and after_seq exclude each other',
    path: ['before_seq'],
  });

const IssueToken = z.strictObject({
  user_id: Id,
  scope: ScopeSchema,
  ttl_s: z.int().min(1).max(LIMITS.tokenTtlMaxS).default(LIMITS.tokenTtlDefaultS),
  name: Label.optional(),
});

const HostMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('system'), body: TextBody }),
  z.strictObject({ kind: z.literal('canned'), body: CannedBody }),
]);

/** Every REST route of the contract, by `METHOD /path` with OpenAPI's spelling of parameters. */
export const routes = {
  'PUT /v1/bookings/{booking_id}': {
    auth: 'api_key',
    params: bookingPath,
    body: PutBooking,
    result: Booking,
    status: 200,
  },
  'PATCH /v1/bookings/{booking_id}': {
    auth: 'api_key',
    params: bookingPath,
    body: PatchBooking,
    result: Booking,
    status: 200,
  },
  'GET /v1/bookings/{booking_id}': { auth: 'api_key', params: bookingPath, result: Booking, status: 200 },
  'GET /v1/bookings': {
    auth: 'api_key',
    query: z.strictObject({
      status: Status.optional(),
      cursor: Cursor.optional(),
      limit: numeric(PageLimit),
    }),
    result: pageOf(Booking),
    status: 200,
  },
  'GET /v1/bookings/{booking_id}/messages': {
    auth: 'api_key',
    params: bookingPath,
    query: HistoryQuery,
    result: pageOf(Message).extend({ last_seq: SeqBound, has_more: z.boolean() }),
    status: 200,
  },
  'POST /v1/bookings/{booking_id}/messages': {
    auth: 'api_key',
    params: bookingPath,
    body: HostMessage,
    result: z.object({ message: Message, duplicate: z.boolean() }),
    status: 201,
  },
  'GET /v1/bookings/{booking_id}/transcript': {
    auth: 'api_key',
    params: bookingPath,
    query: z.strictObject({ format: z.enum(['json', 'txt']).default('json') }),
    status: 200,
  },
  'GET /v1/bookings/{booking_id}/timeline': { auth: 'api_key', params: bookingPath, status: 200 },
  'POST /v1/tokens': {
    auth: 'api_key',
    body: IssueToken,
    result: z.object({ token: z.string(), expires_at: Time }),
    status: 201,
  },
  'DELETE /v1/users/{scope}/{user_id}/sessions': { auth: 'api_key', params: personPath, status: 204 },
  'DELETE /v1/users/{scope}/{user_id}': { auth: 'api_key', params: personPath, status: 204 },
  'GET /v1/canned': { auth: 'none', status: 200 },
  'POST /v1/attachments': { auth: 'api_key_or_token', status: 201 },
  'GET /v1/attachments/{id}': {
    auth: 'api_key_or_token',
    params: z.strictObject({ id: z.uuid() }),
    status: 200,
  },
  'GET /v1/stats': { auth: 'api_key', status: 200 },
  'GET /health/live': { auth: 'none', status: 200 },
  'GET /health/ready': { auth: 'none', status: 200 },
  'GET /metrics': { auth: 'none', status: 200 },
  'GET /docs': { auth: 'none', status: 200 },
  'GET /openapi.json': { auth: 'none', status: 200 },
  'GET /docs/events': { auth: 'none', status: 200 },
  'GET /asyncapi.json': { auth: 'none', status: 200 },
} as const satisfies Record<string, Route>;

/** A route of the table, e.g. `'POST /v1/tokens'`. */
export type RouteName = keyof typeof routes;

type Part<N extends RouteName, P extends string> =
  (typeof routes)[N] extends Record<P, infer S extends z.ZodType> ? z.output<S> : never;
/** The parsed body of a route. */
export type RouteBody<N extends RouteName> = Part<N, 'body'>;
/** The parsed query of a route. */
export type RouteQuery<N extends RouteName> = Part<N, 'query'>;
/** The successful answer of a route. */
export type RouteResult<N extends RouteName> = Part<N, 'result'>;
