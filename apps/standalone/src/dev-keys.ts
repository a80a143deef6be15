import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SettingError } from './env.js';

const DevKeys = z.strictObject({ api_key: z.string().min(16), token_secret: z.string().min(32) });
export type DevKeys = z.output<typeof DevKeys>;

/** What every generated key begins with, so that it is known wherever it turns up. */
export const DEV_PREFIX = 'dev_';

/** Where the generated keys of a data folder are. */
export const devKeysPath = (dataDir: string): string => join(dataDir, 'dev-keys.json');

/** The keys of this data folder, generated once. Two processes that start at once end up with the same ones. */
export async function loadDevKeys(dataDir: string): Promise<DevKeys> {
  try {
    return await keysIn(dataDir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SettingError || code === undefined) throw error;
    throw new SettingError(
      `CURBLINE_DATA_DIR must be a folder that can be written; ${dataDir} is not (${code}).`,
    );
  }
}

async function keysIn(dataDir: string): Promise<DevKeys> {
  const path = devKeysPath(dataDir);
  const kept = await read(path);
  if (kept) return kept;
  const keys: DevKeys = {
    api_key: `${DEV_PREFIX}${randomBytes(24).toString('base64url')}`,
    token_secret: `${DEV_PREFIX}${randomBytes(32).toString('base64url')}`,
  };
  await mkdir(dataDir, { recursive: true });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flush: true });
  try {
    // A link fails when the file is there already: the first process wins, whole.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await read(path)) ?? keys;
}

/** The keys that were generated in this data folder, if any. */
export async function keptDevKeys(dataDir: string): Promise<DevKeys | undefined> {
  try {
    return await read(devKeysPath(dataDir));
  } catch {
    // What this user cannot read, or is broken, was not copied into a setting from here.
    return undefined;
  }
}

async function read(path: string): Promise<DevKeys | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = DevKeys.safeParse(safeJson(text));
  if (parsed.success) return parsed.data;
  throw new SettingError(
    `${path} must hold { "api_key", "token_secret" }; delete it to have new keys generated.`,
  );
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller, with the file's name.
    return undefined;
  }
}
