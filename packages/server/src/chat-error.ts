import { ERRORS, type ErrorCode, type InvalidDetail } from '@curbline/contract';

interface ChatErrorOptions {
  /** Replaces the table's sentence. */
  message?: string;
  details?: unknown;
  /** Milliseconds until a repeat makes sense. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * The one error that services throw: a row of the contract's table. Two places translate it, the answer of a
 * command and the problem of a route; anything else that is thrown becomes `internal` there.
 */
export class ChatError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: ChatErrorOptions = {}) {
    super(options.message ?? ERRORS[code].message, { cause: options.cause });
    this.name = 'ChatError';
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** `invalid` with its details: one entry for each field that is wrong. */
  static invalid(details: readonly InvalidDetail[]): ChatError {
    return new ChatError('invalid', { details });
  }
}
