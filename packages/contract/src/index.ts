/**
 * The contract of Curbline, once: names, errors, limits, payload schemas of commands, events and routes, settings.
 * Types, validators, OpenAPI and the SDK's signatures come from here.
 */
export * from './wire.js';
export { commands, isCommandName, SendMessage, MessagePage } from './commands.js';
export type { Payload, PayloadInput, Result } from './commands.js';
export { ErrorObjectSchema, events } from './events.js';
export type { EventPayload } from './events.js';
export { routes } from './routes.js';
export type { Route, RouteAuth, RouteBody, RouteName, RouteQuery, RouteResult } from './routes.js';
export { settings } from './settings.js';
export type { Setting, SettingName, SettingValue } from './settings.js';
export { planned } from './planned.js';
export type { ClientToServerEvents, ServerToClientEvents } from './socket-types.js';
export * as models from './models.js';
export type {
  BookingView,
  ConnectionObject,
  LocationObject,
  MessageObject,
  ParticipantView,
  PersonInput,
  PresenceObject,
  ReceiptObject,
  UserDetailObject,
} from './models.js';
