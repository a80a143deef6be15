import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatError, problemOf, type ErrorReport } from '@curbline/server';

/** What Node's parser gives up on never becomes a request: nobody else could answer it. */
const REFUSALS: Record<string, { status: number; message: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'the headers are too large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'the chunk extensions are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'the request did not arrive in time' },
};
const MALFORMED = { status: 400, message: 'the request is not HTTP as it should be' };

/** Answers them as every other error is answered, and closes. */
export function answerMalformed(server: Server, report: ErrorReport): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!canBeAnswered(error, socket)) {
      socket.destroy();
      return;
    }
    const { status, message } = REFUSALS[error.code ?? ''] ?? MALFORMED;
    const refusal = ChatError.invalid([{ path: '', message }]);
    const body = JSON.stringify(problemOf(report.describe(refusal, 'a malformed request'), status));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  });
}

/** Not when it is gone, was answered already, or is in the middle of the answer to something else. */
function canBeAnswered({ code }: NodeJS.ErrnoException, socket: Duplex): boolean {
  if (code === 'ECONNRESET' || !socket.writable) return false;
  // Node keeps the answer that is under way there, and tells nobody else of it.
  const { _httpMessage: underWay } = socket as { _httpMessage?: { headersSent: boolean } | null };
  return underWay?.headersSent !== true;
}
