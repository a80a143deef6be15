import type { ErrorCode, ErrorObject } from '@curbline/contract';

/**
 * A code of the contract, or one that arises before the server is asked:
 * - `timeout`: no answer in time; whether the command was carried out is not known
 * - `offline`: no link now
 * - `closed`: the client was closed
 * - `token`: the token function failed, or the token names nobody
 * - `storage`: the outbox could not be read or written
 */
export type CurblineErrorCode = ErrorCode | 'timeout' | 'offline' | 'closed' | 'token' | 'storage';

/** Where an answer leaves it open. The contract's own table would cost a browser all of its sentences. */
const RETRYABLE = /^(rate_limited|unavailable|internal|timeout|offline|closed|storage)$/;

/**
 * Why something did not work: the one error class of the SDK.
 *
 * @example
 * await booking.send({ text: 'At gate 3' }).catch((error) => {
 *   if (error instanceof CurblineError && error.code === 'chat_closed') showClosed();
 * });
 */
export class CurblineError extends Error {
  readonly code: CurblineErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Milliseconds to wait before the next try, when the server said so. */
  readonly retryAfterMs?: number;
  /** For `invalid`: `[{ path, message }]`; for `chat_closed`: `{ status, chat, closed_at? }`. */
  readonly details?: unknown;
  /** Finds the line in the server's log. */
  readonly requestId?: string;

  constructor(
    code: CurblineErrorCode,
    message: string,
    more: Partial<Omit<ErrorObject, 'code'>> & ErrorOptions = {},
  ) {
    super(message, more);
    this.name = 'CurblineError';
    this.code = code;
    this.retryable = more.retryable ?? RETRYABLE.test(code);
    if (more.retry_after_ms !== undefined) this.retryAfterMs = more.retry_after_ms;
    if (more.details !== undefined) this.details = more.details;
    if (more.request_id !== undefined) this.requestId = more.request_id;
  }

  /** From the `error` of an answer. */
  static from(error: { code: string; message: string } & Partial<Omit<ErrorObject, 'code'>>): CurblineError {
    return new CurblineError(error.code as ErrorCode, error.message, error);
  }
}

/** Whatever was thrown, as one class. */
export const asCurblineError = (cause: unknown, code: CurblineErrorCode): CurblineError =>
  cause instanceof CurblineError
    ? cause
    : new CurblineError(code, cause instanceof Error ? cause.message : String(cause), {
        cause,
        retryable: true,
      });

/** Whether there was no answer, so that it is not known whether the command was carried out. */
export const isLinkLost = ({ code }: CurblineError): boolean => code === 'offline' || code === 'timeout';
