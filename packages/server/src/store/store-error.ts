import { ChatError } from '../chat-error.js';

/** Socket and timeout errors of Node and pg: the server cannot be reached, or did not answer in time. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EACCES',
]);
const networkMessages =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after|Client was closed)/;

/**
 * SQLSTATE classes in which PostgreSQL kept nothing and a repeat may succeed: connection (08), no room or
 * memory (53), stopped or cancelled (57), I/O (58), rollback (40), lock not available (55P03), read-only (25006),
 * I/O reported as an internal error when fsync or a page fails (XX001, XX002), too many clients (53300 is in 53).
 */
const passingState = /^(08|53|57|58|40)|^(55P03|25006|25P02|XX001|XX002)$/;

const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** A unique key has it already: nothing was written, and the connection is as good as before. */
export const isConflict = (error: unknown): boolean => codeOf(error) === '23505';

/** The connection behind this error is of no use any more. */
export const breaksConnection = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code !== undefined && (networkCodes.has(code) || /^(08|57P0)/.test(code))) return true;
  return error instanceof Error && networkMessages.test(error.message);
};

/** The store is away, slow or full: nothing was kept, and the same request may succeed later. */
export const isUnavailable = (error: unknown): boolean => {
  if (breaksConnection(error)) return true;
  const code = codeOf(error);
  return code !== undefined && passingState.test(code);
};

/** Errors of the store as services see them: trouble that passes is `unavailable`, the rest stays what it is. */
export const storeError = (error: unknown): unknown =>
  !(error instanceof ChatError) && isUnavailable(error)
    ? new ChatError('unavailable', { cause: error, retryAfterMs: 1_000 })
    : error;
