import { DEV_PREFIX, keptDevKeys } from './dev-keys.js';
import { dataDirOf, SettingError, type Environment } from './env.js';

const SHORTEST_KEY = 16;

/** Refuses what is unsafe in production, before the rest of the server is even loaded. */
export async function requireProduction(env: Environment): Promise<void> {
  if (env.NODE_ENV !== 'production') return;
  const { CURBLINE_API_KEYS: apiKeys, CURBLINE_TOKEN_SECRET: secret, CURBLINE_CORS_ORIGINS: origins } = env;
  if (apiKeys === undefined) {
    throw new SettingError('In production CURBLINE_API_KEYS must be set: generated dev keys are refused.');
  }
  if (secret === undefined && env.CURBLINE_JWKS_URL === undefined) {
    throw new SettingError(
      'In production CURBLINE_TOKEN_SECRET or CURBLINE_JWKS_URL must be set: a generated secret is refused.',
    );
  }
  if (apiKeys.some((key) => key.length < SHORTEST_KEY)) {
    throw new SettingError(
      `In production each of CURBLINE_API_KEYS must have at least ${SHORTEST_KEY} characters.`,
    );
  }
  const generated = Object.values((await keptDevKeys(dataDirOf(env))) ?? {});
  const isDev = (key: string) => key.startsWith(DEV_PREFIX) || generated.includes(key);
  if (apiKeys.some(isDev)) {
    throw new SettingError('In production CURBLINE_API_KEYS must not hold a generated dev key.');
  }
  if (secret !== undefined && isDev(secret)) {
    throw new SettingError('In production CURBLINE_TOKEN_SECRET must not be a generated dev secret.');
  }
  if (origins?.includes('*')) {
    throw new SettingError('In production CURBLINE_CORS_ORIGINS must list origins: a wildcard is refused.');
  }
}
