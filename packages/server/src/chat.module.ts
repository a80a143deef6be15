import { Logger, Module, type DynamicModule, type FactoryProvider, type Provider } from '@nestjs/common';
import { ApiKeyGuard } from './auth/api-keys.js';
import { Authenticator } from './auth/authenticator.js';
import { Origins } from './auth/origins.js';
import { REVOCATIONS } from './auth/revocation-source.js';
import { SessionsService } from './auth/sessions.service.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { CHAT_OPTIONS, type ChatOptions } from './chat.options.js';
import { AccessService } from './chat/access.service.js';
import { BookingCache } from './chat/booking-cache.js';
import { BookingsService } from './chat/bookings.service.js';
import { CannedMessages } from './chat/canned-catalogue.js';
import { ClosingService } from './chat/closing.service.js';
import { ConnectionsService } from './chat/connections.service.js';
import { HostMessagesService } from './chat/host-messages.service.js';
import { MessagesService } from './chat/messages.service.js';
import { MyBookingsService } from './chat/my-bookings.service.js';
import { PolicyService } from './chat/policy.service.js';
import { PresenceService } from './chat/presence.service.js';
import { ReceiptsService } from './chat/receipts.service.js';
import { RevocationService } from './chat/revocation.service.js';
import { SendLimit } from './chat/send-limit.js';
import { SignalsService } from './chat/signals.service.js';
import { Fanout } from './fanout/fanout.js';
import { Presence } from './fanout/presence.js';
import { Backpressure } from './gateway/backpressure.js';
import { BookingsGateway } from './gateway/bookings.gateway.js';
import { CommandLimit } from './gateway/command-limit.js';
import { ConnectionBounds } from './gateway/connection-bounds.js';
import { ConnectionsGateway } from './gateway/connections.gateway.js';
import { Dispatcher } from './gateway/dispatcher.js';
import { MessagesGateway } from './gateway/messages.gateway.js';
import { SignalsGateway } from './gateway/signals.gateway.js';
import { SlowConsumers } from './gateway/slow-consumers.js';
import { SocketServer } from './gateway/socket-server.js';
import { TokensGateway } from './gateway/tokens.gateway.js';
import { ErrorReport } from './ops/error-report.js';
import { Health, HEALTH_CHECKS } from './ops/health.js';
import { BookingsController } from './rest/bookings.controller.js';
import { HealthController } from './rest/health.controller.js';
import { MessagesController } from './rest/messages.controller.js';
import { PeopleController } from './rest/people.controller.js';
import { AppendWriter } from './store/append-writer.js';
import { BookingsStore } from './store/bookings.store.js';
import { ConnectionsStore } from './store/connections.store.js';
import { Database } from './store/database.js';
import { IdempotencyStore } from './store/idempotency.store.js';
import { LocationsStore } from './store/locations.store.js';
import { MessagesStore } from './store/messages.store.js';
import { PeopleStore } from './store/people.store.js';
import { ReceiptsStore } from './store/receipts.store.js';
import { RevocationsStore } from './store/revocations.store.js';
import { SeatsStore } from './store/seats.store.js';
import { StoreLifecycle } from './store/store.lifecycle.js';

/** Options that need other providers of the host. */
export interface ChatAsyncOptions {
  imports?: DynamicModule['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...injected: never[]) => ChatOptions | Promise<ChatOptions>;
}

const store: Provider[] = [
  {
    provide: Database,
    inject: [CHAT_OPTIONS],
    useFactory: (options: ChatOptions) =>
      Database.open(options.database, options.schema, new Logger('Database')),
  },
  AppendWriter,
  BookingsStore,
  ConnectionsStore,
  IdempotencyStore,
  LocationsStore,
  MessagesStore,
  PeopleStore,
  ReceiptsStore,
  RevocationsStore,
  SeatsStore,
  StoreLifecycle,
];

const chat: Provider[] = [
  AccessService,
  BookingCache,
  BookingsService,
  CannedMessages,
  ClosingService,
  ConnectionsService,
  HostMessagesService,
  MessagesService,
  MyBookingsService,
  PolicyService,
  PresenceService,
  ReceiptsService,
  RevocationService,
  SendLimit,
  SignalsService,
];

const edges: Provider[] = [
  Backpressure,
  ApiKeyGuard,
  Authenticator,
  Origins,
  SessionsService,
  TokenVerifier,
  { provide: REVOCATIONS, useExisting: RevocationsStore },
  BookingsGateway,
  CommandLimit,
  ConnectionBounds,
  ConnectionsGateway,
  Dispatcher,
  MessagesGateway,
  SignalsGateway,
  SlowConsumers,
  SocketServer,
  TokensGateway,
];

const ops: Provider[] = [
  ErrorReport,
  Health,
  {
    provide: HEALTH_CHECKS,
    inject: [Database, AppendWriter],
    useFactory: (database: Database, writer: AppendWriter) => [
      { name: 'database', check: () => database.ping().then(() => writer.check()) },
    ],
  },
];

/**
 * Chat for bookings, as a module of any NestJS application on Express.
 *
 * @example
 * ```ts
 * ChatModule.forRoot({
 *   database: { url: 'postgres://localhost/rides' },
 *   tokens: { secret: process.env.CHAT_SECRET },
 *   apiKeys: [process.env.CHAT_API_KEY],
 * })
 * ```
 */
@Module({})
export class ChatModule {
  /** With options known at once. */
  static forRoot(options: ChatOptions): DynamicModule {
    return assemble({ provide: CHAT_OPTIONS, useValue: options }, []);
  }

  /** With options that a factory makes, from what the host injects. */
  static forRootAsync({ imports = [], inject = [], useFactory }: ChatAsyncOptions): DynamicModule {
    return assemble({ provide: CHAT_OPTIONS, inject, useFactory }, imports);
  }
}

function assemble(options: Provider, imports: NonNullable<DynamicModule['imports']>): DynamicModule {
  return {
    module: ChatModule,
    imports,
    controllers: [BookingsController, MessagesController, PeopleController, HealthController],
    providers: [options, ...store, Fanout, Presence, ...chat, ...edges, ...ops],
    exports: [BookingsService, Database, Dispatcher, HostMessagesService, RevocationService, TokenVerifier],
  };
}
