/**
 * One frozen table of error codes for sockets, REST and SDK. Free of the schema library.
 * Source: the contract, section 3.
 */
export const ERRORS = Object.freeze({
  invalid: { status: 400, retryable: false, message: 'The request does not fit its schema.' },
  unauthenticated: { status: 401, retryable: false, message: 'A valid token is required.' },
  forbidden: { status: 403, retryable: false, message: 'You may not do this.' },
  not_found: { status: 404, retryable: false, message: 'There is no such thing here.' },
  conflict: { status: 409, retryable: false, message: 'This id was used before with another content.' },
  chat_closed: { status: 409, retryable: false, message: 'This chat does not allow that now.' },
  too_large: { status: 413, retryable: false, message: 'The content is over the size limit.' },
  unsupported: { status: 415, retryable: false, message: 'This type of content is not allowed.' },
  rejected: { status: 422, retryable: false, message: 'Moderation refused the content.' },
  rate_limited: { status: 429, retryable: true, message: 'Too many requests; slow down.' },
  unavailable: { status: 503, retryable: true, message: 'The store cannot be reached; nothing was kept.' },
  internal: { status: 500, retryable: true, message: 'Something went wrong on the server.' },
} as const satisfies Record<string, { status: number; retryable: boolean; message: string }>);

/** A code of the table, e.g. `'not_found'`. */
export type ErrorCode = keyof typeof ERRORS;

/** Every code, in the order of the contract. */
export const ERROR_CODES = Object.freeze(Object.keys(ERRORS)) as readonly ErrorCode[];

/** One field that is wrong: `path` is dotted (`body.text`), empty for the whole payload. */
export interface InvalidDetail {
  path: string;
  message: string;
}

/** Details of `chat_closed`. Times are ISO 8601 UTC with milliseconds. */
export interface ChatClosedDetails {
  status: string;
  chat: 'open' | 'read_only' | 'closed';
  closed_at?: string;
}

/** What every failed request is answered with, on every path. */
export interface ErrorObject {
  code: ErrorCode;
  /** For people; may change. */
  message: string;
  /** Whether the same request, with the same `client_id`, may succeed later. */
  retryable: boolean;
  /** Milliseconds to wait before the next try. */
  retry_after_ms?: number;
  details?: unknown;
  /** Finds the line in the server's log. */
  request_id: string;
}

/** The one object that answers a command. */
export type Answer<T> = { data: T; error?: never } | { error: ErrorObject; data?: never };
