import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Database, ErrorReport, isModestJson, Origins, ProblemFilter } from '@curbline/server';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LIMITS } from '@curbline/contract';
import helmet from 'helmet';
import { Logger } from 'nestjs-pino';
import { appModule } from './app.module.js';
import type { Configuration } from './configuration.js';
import { HttpDrain } from './http-drain.js';
import { answerMalformed } from './malformed-requests.js';

/** A server that listens. */
export interface RunningServer {
  /** With the real port, e.g. `http://127.0.0.1:5000`. */
  readonly url: string;
  /** What a person should know about where the data lies, a sentence each. */
  readonly notes: readonly string[];
  /** Drains: sockets are told, running commits finish. */
  close(): Promise<void>;
  /** Everybody has been answered and is gone; what is left of closing is the database's. */
  isQuiet(): boolean;
}

/** Builds the application and listens. */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const app = await NestFactory.create<NestExpressApplication>(appModule(configuration), {
    // Until the log is there, errors of the start are thrown, and said once by whoever called.
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  app.useLogger(quietly(app.get(Logger)));
  app.use(helmet({ contentSecurityPolicy: { directives: contentPolicy } }));
  app.disable('x-powered-by');
  app.use(refuseLarge);
  app.useBodyParser('json', jsonBodies);
  Object.assign(app.getHttpServer(), slowRequests);
  answerMalformed(app.getHttpServer(), app.get(ErrorReport));
  // Unknown routes and malformed requests are problems in the contract's words too.
  app.useGlobalFilters(new ProblemFilter(app.get(ErrorReport)));
  const origins = app.get(Origins);
  app.enableCors({
    origin: (origin, allow) => allow(null, origins.allows(origin, undefined)),
  });
  if (!configuration.production) {
    app.useStaticAssets(webFolder(), { prefix: '/demo/', redirect: true });
  }
  let drain: HttpDrain;
  try {
    await app.init();
    // After the sockets, which take the listeners that they find for those of their host's own requests.
    drain = new HttpDrain(app.getHttpServer());
    await app.listen(configuration.port, configuration.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const address = app.getHttpServer().address() as { port: number };
  const host = configuration.host.includes(':') ? `[${configuration.host}]` : configuration.host;
  return {
    url: `http://${host}:${address.port}`,
    notes: app.get(Database).notes,
    close() {
      drain.begin();
      return app.close();
    },
    isQuiet: () => drain.isOver,
  };
}

/** What the framework says of its own start: a hundred lines that tell an operator nothing. */
const FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

function quietly(logger: Logger): LoggerService {
  return {
    log: (message: unknown, ...rest: unknown[]) => {
      if (FRAMEWORK.has(String(rest.at(-1)))) logger.debug(message, ...rest);
      else logger.log(message, ...rest);
    },
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(message, ...rest),
    verbose: (message: unknown, ...rest: unknown[]) => logger.verbose(message, ...rest),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(message, ...rest),
    error: (message: unknown, ...rest: unknown[]) => logger.error(message, ...rest),
    fatal: (message: unknown, ...rest: unknown[]) => logger.fatal(message, ...rest),
  };
}

/**
 * Who connects and says nothing, or says it a byte at a time, is not waited for. The interval is an option of the
 * server's constructor, which Nest calls; until it listens it can be set like the others.
 */
const slowRequests = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };

const jsonBodies = {
  limit: LIMITS.restBodyMaxBytes,
  type: ['application/json', 'application/*+json'],
  // Hidden by Nest's types, which keep it for raw bodies; we have none.
  verify: refuseMonsters,
};

/** Whatever it calls itself: only JSON is read at all, and that counts what comes without a length. */
function refuseLarge({ headers }: IncomingMessage, _response: unknown, next: (error?: Error) => void): void {
  const isLarge = Number(headers['content-length'] ?? 0) > LIMITS.restBodyMaxBytes;
  next(isLarge ? Object.assign(new Error('the body is too large'), { status: 413 }) : undefined);
}

/** Bodies are parsed before anybody knows who sends them: what no caller could mean is not parsed at all. */
function refuseMonsters(_request: unknown, _response: unknown, body: Buffer): void {
  if (isModestJson(body.toString('latin1'))) return;
  throw Object.assign(new Error('the body is nested too deep or has too many values'), { status: 400 });
}

/** Nothing leaves the machine: no fonts, tiles or scripts from outside. */
const contentPolicy = {
  defaultSrc: ["'self'"],
  connectSrc: ["'self'", 'ws:', 'wss:'],
  imgSrc: ["'self'"],
  fontSrc: ["'self'"],
  styleSrc: ["'self'"],
  scriptSrc: ["'self'"],
  // Development runs on plain http, on loopback.
  upgradeInsecureRequests: null,
};

const webFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('@curbline/web/package.json')), 'dist');
