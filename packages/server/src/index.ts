export { ChatModule } from './chat.module.js';
export type { ChatAsyncOptions } from './chat.module.js';
export { CHAT_OPTIONS } from './chat.options.js';
export type {
  ChatLogger,
  ChatOptions,
  DatabaseLocation,
  SocketOptions,
  TokenOptions,
} from './chat.options.js';
export { ChatError } from './chat-error.js';
export type { Actor, PersonRef } from './actor.js';
export { DEFAULT_POLICY } from './chat/booking-policy.js';
export { CannedCatalogueSchema } from './canned-file.js';
export { PolicyTableSchema } from './policy-table.js';
export type { PolicyTable } from './policy-table.js';
export { BookingsService } from './chat/bookings.service.js';
export { HostMessagesService } from './chat/host-messages.service.js';
export { RevocationService } from './chat/revocation.service.js';
export { Origins } from './auth/origins.js';
export { TokenVerifier } from './auth/token-verifier.js';
export type { Identity } from './auth/identity.js';
export { Database, DatabaseStartError } from './store/database.js';
export { EmbeddedPostgresError } from './store/embedded/embedded-postgres.js';
export { isModestJson } from './json-shape.js';
export { problemOf, ProblemFilter } from './rest/problem.filter.js';
export { ErrorReport } from './ops/error-report.js';
