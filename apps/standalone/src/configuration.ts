import { readFile } from 'node:fs/promises';
import { CannedCatalogueSchema, PolicyTableSchema, type ChatOptions } from '@curbline/server';
import type { ZodType } from 'zod';
import { loadDevKeys } from './dev-keys.js';
import { dataDirOf, SettingError, type Environment } from './env.js';

/** Everything the stand-alone server needs to start, checked. */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  readonly production: boolean;
  readonly dataDir: string;
  /** Keys were generated: they are in the data folder. */
  readonly devKeys: boolean;
  readonly logLevel: string;
  readonly chat: ChatOptions;
}

/** From settings to options, once they are fit for production if that is where they are for. */
export async function configure(env: Environment): Promise<Configuration> {
  const production = env.NODE_ENV === 'production';
  const dataDir = dataDirOf(env);
  const { CURBLINE_JWKS_URL: jwksUrl } = env;
  let { CURBLINE_TOKEN_SECRET: secret, CURBLINE_API_KEYS: apiKeys } = env;
  const devKeys = apiKeys === undefined || (secret === undefined && jwksUrl === undefined);
  if (devKeys) {
    const keys = await loadDevKeys(dataDir);
    apiKeys ??= [keys.api_key];
    if (jwksUrl === undefined) secret ??= keys.token_secret;
  }
  return {
    host: env.CURBLINE_HOST ?? '127.0.0.1',
    port: env.CURBLINE_PORT ?? 5_000,
    production,
    dataDir,
    devKeys,
    logLevel: env.CURBLINE_LOG_LEVEL ?? 'info',
    chat: {
      database: env.CURBLINE_DATABASE_URL === undefined ? { dataDir } : { url: env.CURBLINE_DATABASE_URL },
      tokens: { ...(secret !== undefined && { secret }), ...(jwksUrl !== undefined && { jwksUrl }) },
      apiKeys: apiKeys ?? [],
      origins: env.CURBLINE_CORS_ORIGINS ?? (production ? [] : ['*']),
      queryToken: env.CURBLINE_QUERY_TOKEN ?? !production,
      ...(env.CURBLINE_POLICY_FILE !== undefined && {
        policy: await jsonFile(
          'CURBLINE_POLICY_FILE',
          env.CURBLINE_POLICY_FILE,
          PolicyTableSchema,
          'a policy',
        ),
      }),
      ...(env.CURBLINE_CANNED_FILE !== undefined && {
        canned: await jsonFile(
          'CURBLINE_CANNED_FILE',
          env.CURBLINE_CANNED_FILE,
          CannedCatalogueSchema,
          'a catalogue',
        ),
      }),
      ...(env.CURBLINE_GRACE_S !== undefined && { graceS: env.CURBLINE_GRACE_S }),
      ...(env.CURBLINE_RETENTION_DAYS !== undefined && { retentionDays: env.CURBLINE_RETENTION_DAYS }),
      ...(env.CURBLINE_MESSAGES_PER_S !== undefined && { messagesPerS: env.CURBLINE_MESSAGES_PER_S }),
      ...(env.CURBLINE_MESSAGES_BURST !== undefined && { messagesBurst: env.CURBLINE_MESSAGES_BURST }),
      sockets: {
        ...(env.CURBLINE_PING_INTERVAL_MS !== undefined && { pingIntervalMs: env.CURBLINE_PING_INTERVAL_MS }),
        ...(env.CURBLINE_PING_TIMEOUT_MS !== undefined && { pingTimeoutMs: env.CURBLINE_PING_TIMEOUT_MS }),
        ...(env.CURBLINE_MAX_PAYLOAD_BYTES !== undefined && {
          maxPayloadBytes: env.CURBLINE_MAX_PAYLOAD_BYTES,
        }),
        ...(env.CURBLINE_TRANSPORTS !== undefined && { transports: env.CURBLINE_TRANSPORTS }),
        ...(env.CURBLINE_SOCKET_ENGINE !== undefined && { engine: env.CURBLINE_SOCKET_ENGINE }),
      },
    },
  };
}

/** A file of the operator's, checked; a sentence that names the setting when it is not what it should be. */
async function jsonFile<T>(setting: string, path: string, schema: ZodType<T>, what: string): Promise<T> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingError(`${setting} must be a readable JSON file: ${reason}.`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SettingError(
    `${setting} is not ${what}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
  );
}
