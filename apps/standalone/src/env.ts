import { resolve } from 'node:path';
import { planned, settings, type SettingName, type SettingValue } from '@curbline/contract';

/** Below the working folder. */
const DEFAULT_DATA_DIR = '.curbline';

/** What the environment says, parsed; absent where it says nothing. */
export type Environment = { readonly [N in SettingName]?: SettingValue<N> };

/** Where data is kept. */
export const dataDirOf = (env: Environment): string => resolve(env.CURBLINE_DATA_DIR ?? DEFAULT_DATA_DIR);

/** A setting that is missing, unknown or wrong: one sentence for the person who starts the server. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

const isSetting = (name: string): name is SettingName => Object.hasOwn(settings, name);

/** Reads all settings, before anything opens. The only reader of the process's environment. */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined) continue;
    if (!isSetting(name)) {
      if (name.startsWith('CURBLINE_')) throw new SettingError(unknownSetting(name));
      continue;
    }
    // An empty variable is how shells and compose files write "not set".
    if (text === '') continue;
    if (planned.settings.includes(name)) {
      throw new SettingError(`${name} is planned, but this version does not serve it yet: remove it.`);
    }
    const { schema, shape } = settings[name];
    const parsed = schema.safeParse(text);
    // The value is not repeated: it may be a secret.
    if (!parsed.success) throw new SettingError(`${name} must be ${shape}.`);
    values[name] = parsed.data;
  }
  // Every value came out of its own setting's schema.
  return values as Environment;
}

function unknownSetting(name: string): string {
  const known = Object.keys(settings).filter((candidate) => candidate.startsWith('CURBLINE_'));
  const [near] = known
    .filter((candidate) => distance(candidate, name) <= 3)
    .sort((a, b) => distance(a, name) - distance(b, name));
  return near !== undefined
    ? `${name} is not a setting; did you mean ${near}?`
    : `${name} is not a setting. Known: ${known.join(', ')}.`;
}

/** Edits between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
