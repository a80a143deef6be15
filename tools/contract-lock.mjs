// Writes contract.lock.json: the whole contract as JSON Schema, so that a change of the wire is a change that a
// reviewer sees and a test notices. With --check it only compares. Reads the built contract: `npm run build` first.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  COMMAND_NAMES,
  DEFAULT_CANNED,
  ErrorObjectSchema,
  ERRORS,
  EVENT_NAMES,
  LIMITS,
  WEBHOOK_TYPES,
  commands,
  events,
  planned,
  routes,
  settings,
} from '@curbline/contract';
import { z } from 'zod';

const file = fileURLToPath(new URL('../contract.lock.json', import.meta.url));

/**
 * Requests as a client writes them (`input`: defaults may be left out, unknown fields are refused), answers and events
 * as it reads them (`output`: open, because clients ignore what they do not know).
 */
const schemaOf = (schema, io) => {
  if (schema === undefined) return undefined;
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    // What JSON Schema cannot say (a transform, a refinement) is left open; the shape around it is still there.
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return json;
};
const each = (table, describe) =>
  Object.fromEntries(Object.entries(table).map(([name, row]) => [name, describe(row)]));

/** Keys in one order, so that only a change of the contract changes the file. Lists keep theirs: it has a meaning. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
}

/** The contract as one JSON text. */
function contractLock() {
  const lock = {
    names: { commands: COMMAND_NAMES, events: EVENT_NAMES, webhooks: WEBHOOK_TYPES },
    commands: each(commands, ({ payload, result }) => ({
      payload: schemaOf(payload, 'input'),
      result: schemaOf(result, 'output'),
    })),
    events: each(events, (payload) => schemaOf(payload, 'output')),
    routes: each(routes, ({ auth, status, params, query, body, result }) => ({
      auth,
      status,
      params: schemaOf(params, 'input'),
      query: schemaOf(query, 'input'),
      body: schemaOf(body, 'input'),
      result: schemaOf(result, 'output'),
    })),
    error: schemaOf(ErrorObjectSchema, 'output'),
    errors: ERRORS,
    limits: LIMITS,
    canned: each(DEFAULT_CANNED, ({ params }) => params),
    settings: each(settings, ({ shape, default: fallback, productionDefault, description }) => ({
      shape,
      default: fallback,
      ...(productionDefault !== undefined && { productionDefault }),
      description,
    })),
    planned,
  };
  return `${JSON.stringify(sorted(lock), null, 2)}\n`;
}

const current = contractLock();
const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
if (current === kept) {
  console.log('contract.lock.json is current');
} else if (process.argv[2] === '--check') {
  const lines = { kept: kept.split('\n'), current: current.split('\n') };
  const at = lines.current.findIndex((line, index) => line !== lines.kept[index]);
  console.log(`contract.lock.json is not what the contract says, from line ${at + 1} on:`);
  console.log(`  lock:     ${lines.kept[at]?.trim()}\n  contract: ${lines.current[at]?.trim()}`);
  console.log('If the change is meant: npm run contract:lock');
  process.exitCode = 1;
} else {
  writeFileSync(file, current);
  console.log('wrote contract.lock.json');
}
