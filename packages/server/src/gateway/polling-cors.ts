import type { IncomingMessage, Server as HttpServer, RequestListener } from 'node:http';
import cors from 'cors';
import type { Origins } from '../auth/origins.js';

/** As engine.io knows its own requests: `/chat-admin` of a host is none of `/chat`. */
export function isUnder(path: string): (request: IncomingMessage) => boolean {
  const prefix = `${path.replace(/\/$/, '')}/`;
  return ({ url }) => url?.startsWith(prefix) === true;
}

/**
 * Which pages may read what polling answers, and asks them that before they send: in front of the listeners that the
 * server has, as engine.io puts itself in front of those. Its own option `cors` is a middleware whose promises every websocket
 * waits for too, which has no use for such headers.
 */
export function letPagesPoll(
  http: HttpServer,
  isOurs: (request: IncomingMessage) => boolean,
  origins: Pick<Origins, 'allows'>,
): void {
  const forPages = cors((request, decide) =>
    decide(null, { origin: origins.allows(request.headers.origin, undefined) }),
  );
  const listeners = http.listeners('request') as RequestListener[];
  http.removeAllListeners('request');
  http.on('request', (request, response) => {
    const serve = () => {
      for (const listener of listeners) listener.call(http, request, response);
    };
    if (isOurs(request)) forPages(request, response, serve);
    else serve();
  });
}
