import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const LOOK_EVERY_MS = 50;
/** For requests that run when the sockets are closed: none takes longer, the database is given up before. */
const ANSWER_LIMIT_MS = 2_000;

/** Lets go of HTTP connections when the server stops: Node alone waits for each that is not idle, for ever. */
export class HttpDrain {
  private readonly unanswered = new Set<ServerResponse>();
  private draining = false;
  private closed = false;

  constructor(private readonly server: Server) {
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.draining) response.setHeader('Connection', 'close');
      this.unanswered.add(response);
      response.once('close', () => this.unanswered.delete(response));
    });
    server.once('close', () => (this.closed = true));
  }

  /** Nobody is connected any more, and nobody can. */
  get isOver(): boolean {
    return this.closed;
  }

  /** From now on every answer is the last one of its connection; once the server closes, none is waited for long. */
  begin(): void {
    this.draining = true;
    for (const response of this.unanswered) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    let closingSince: number | undefined;
    const timer = setInterval(() => {
      if (this.closed) clearInterval(timer);
      if (this.server.listening) return;
      closingSince ??= performance.now();
      if (performance.now() - closingSince > ANSWER_LIMIT_MS) this.server.closeAllConnections();
      else this.server.closeIdleConnections();
    }, LOOK_EVERY_MS).unref();
  }
}
