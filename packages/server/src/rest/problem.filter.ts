import { ERRORS, type ErrorObject } from '@curbline/contract';
import {
  Catch,
  HttpException,
  Inject,
  Injectable,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { ErrorReport } from '../ops/error-report.js';

interface Response {
  headersSent: boolean;
  status(code: number): Response;
  setHeader(name: string, value: string): void;
  end(body: string): void;
}
interface Request {
  method: string;
  path: string;
}

/** RFC 9457: every failed call is `application/problem+json` with the contract's members beside. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(ErrorReport) private readonly report: ErrorReport) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const request = http.getRequest<Request>();
    // The path, never the query string: it may carry a token.
    const error = this.report.describe(known(thrown), `${request.method} ${request.path}`);
    if (response.headersSent) return;
    response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
    if (error.code === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer');
    if (error.retry_after_ms !== undefined) {
      response.setHeader('Retry-After', String(Math.max(1, Math.ceil(error.retry_after_ms / 1_000))));
    }
    response.status(ERRORS[error.code].status).end(JSON.stringify(problemOf(error)));
  }
}

/** RFC 9457's members beside the contract's; `status` where HTTP has a finer one than the code. */
export const problemOf = (error: ErrorObject, status: number = ERRORS[error.code].status) => ({
  type: `urn:curbline:error:${error.code}`,
  title: ERRORS[error.code].message,
  status,
  detail: error.message,
  ...error,
});

/** What Express and Nest throw before a handler runs, in the contract's words. */
function known(thrown: unknown): unknown {
  if (thrown instanceof ChatError) return thrown;
  const status = statusOf(thrown);
  // A guard of the host's that refuses one of our routes.
  if (status === 401) return new ChatError('unauthenticated', { cause: thrown });
  if (status === 403) return new ChatError('forbidden', { cause: thrown });
  if (status === 404)
    return new ChatError('not_found', { message: 'There is no such route.', cause: thrown });
  if (status === 413) return new ChatError('too_large', { cause: thrown });
  if (status === 415) return new ChatError('unsupported', { cause: thrown });
  if (status !== undefined && status >= 400 && status < 500) {
    const message = thrown instanceof Error ? thrown.message : 'the request is malformed';
    return new ChatError('invalid', { details: [{ path: '', message }], cause: thrown });
  }
  return thrown;
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  // body-parser and Express mark client errors with a status; so do malformed paths (URIError).
  if (thrown instanceof URIError) return 400;
  if (thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number')
    return thrown.status;
  return undefined;
}
