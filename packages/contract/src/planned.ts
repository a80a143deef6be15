import type { CommandName, EventName } from './names.js';
import type { RouteName } from './routes.js';
import type { SettingName } from './settings.js';

/**
 * Parts of the contract that no code serves yet. A planned command or route is not registered: it answers
 * like any unknown one, never with a stub. A planned setting stops the start with a sentence.
 */
export const planned: {
  readonly commands: readonly CommandName[];
  readonly events: readonly EventName[];
  readonly routes: readonly RouteName[];
  readonly settings: readonly SettingName[];
} = {
  commands: [],
  events: [],
  routes: [
    'GET /v1/bookings/{booking_id}/transcript',
    'GET /v1/bookings/{booking_id}/timeline',
    'DELETE /v1/users/{scope}/{user_id}',
    'POST /v1/attachments',
    'GET /v1/attachments/{id}',
    'GET /v1/stats',
    'GET /metrics',
    'GET /docs',
    'GET /openapi.json',
    'GET /docs/events',
    'GET /asyncapi.json',
  ],
  settings: [
    'CURBLINE_REDIS_URL',
    'CURBLINE_WEBHOOK_URL',
    'CURBLINE_WEBHOOK_SECRET',
    'CURBLINE_UNDELIVERED_AFTER_S',
    'CURBLINE_WEBHOOK_ALLOW_PRIVATE',
  ],
};
