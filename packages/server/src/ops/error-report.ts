import { inspect } from 'node:util';
import { ERRORS, type ErrorObject } from '@curbline/contract';
import { Injectable, Logger } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { uuidV7 } from './uuid-v7.js';

/** The one place that turns what was thrown into the contract's error object, and logs what is our fault. */
@Injectable()
export class ErrorReport {
  private readonly logger = new Logger('Curbline');

  /** `where` names the command or route in the log; the client sees only the table's words. */
  describe(thrown: unknown, where: string): ErrorObject {
    const request_id = uuidV7();
    if (!(thrown instanceof ChatError)) {
      // Anything can be thrown; not everything can be made a string of.
      const stack = thrown instanceof Error ? thrown.stack : inspect(thrown);
      this.logger.error(`${where} failed, request_id ${request_id}`, stack);
      return {
        code: 'internal',
        message: ERRORS.internal.message,
        retryable: ERRORS.internal.retryable,
        request_id,
      };
    }
    const { code, message, details, retryAfterMs } = thrown;
    if (code === 'unavailable')
      this.logger.warn(`${where} is unavailable, request_id ${request_id}: ${reasonOf(thrown.cause)}`);
    return {
      code,
      message,
      retryable: ERRORS[code].retryable,
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
      ...(details !== undefined && { details }),
      request_id,
    };
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'no cause was given');
