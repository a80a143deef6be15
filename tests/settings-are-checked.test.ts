import { randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { Program, ROOT } from './harness/program.js';
import { FLAGS, TestServer, type ServerEnv } from './harness/server.js';
import { jwt, nowS } from './harness/tokens.js';

const KEYS = {
  CURBLINE_API_KEYS: randomBytes(12).toString('hex'),
  CURBLINE_TOKEN_SECRET: randomBytes(24).toString('hex'),
};
const PRODUCTION = { ...KEYS, NODE_ENV: 'production' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'curbline-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The start fails at once: one sentence that names the setting, not its value, and nothing was opened. */
async function expectNoStart(env: ServerEnv, setting: string): Promise<string> {
  const dataDir = env['CURBLINE_DATA_DIR'] ?? join(folder, randomBytes(6).toString('hex'));
  const program = Program.start(process.execPath, ['apps/standalone/dist/main.js'], {
    CURBLINE_PORT: '0',
    CURBLINE_DATA_DIR: dataDir,
    ...env,
  });
  expect(await program.exit(), program.output).toBe(1);
  expect(program.lines).toHaveLength(1);
  const [sentence = ''] = program.lines;
  expect(sentence).toMatch(/^Curbline cannot start: .*[.?]$/);
  expect(sentence).toContain(setting);
  await expect(access(join(dataDir, 'postgres'))).rejects.toThrow();
  return sentence;
}

test('a name that is no setting stops the start, with the nearest one that is', async () => {
  expect(await expectNoStart({ CURBLINE_PROT: '5000' }, 'CURBLINE_PROT')).toContain('CURBLINE_PORT?');
  expect(await expectNoStart({ CURBLINE_COLOUR: 'red' }, 'CURBLINE_COLOUR')).toContain('CURBLINE_HOST');
  await expectNoStart({ CURBLINE_REDIS_URL: 'redis://127.0.0.1' }, 'CURBLINE_REDIS_URL');
});

test('a folder or an address that cannot be had stops the start with a sentence', async () => {
  await expectNoStart({ CURBLINE_DATA_DIR: '/dev/null/x' }, 'CURBLINE_DATA_DIR');
  const program = Program.start(process.execPath, ['apps/standalone/dist/main.js'], {
    CURBLINE_PORT: '0',
    CURBLINE_DATA_DIR: join(folder, 'elsewhere'),
    CURBLINE_HOST: '192.0.2.1',
  });
  expect(await program.exit()).toBe(1);
  expect(program.lines.at(-1)).toBe(
    'Curbline cannot start: CURBLINE_HOST must be an address of this machine.',
  );
});

test('a value that is none stops the start, and is not repeated', async () => {
  const bad: [string, string][] = [
    ['CURBLINE_PORT', '65536'],
    ['CURBLINE_PING_INTERVAL_MS', '1'],
    ['CURBLINE_PORT', 'http'],
    ['CURBLINE_DATABASE_URL', 'mysql://127.0.0.1/chat'],
    ['CURBLINE_TOKEN_SECRET', 'x'.repeat(31)],
    ['CURBLINE_JWKS_URL', 'file:///etc/keys.json'],
    ['CURBLINE_API_KEYS', ', ,'],
    ['CURBLINE_API_KEYS', 'a key of words'],
    ['CURBLINE_CORS_ORIGINS', 'elsewhere.test'],
    ['CURBLINE_CORS_ORIGINS', 'localhost:3000'],
    ['CURBLINE_CORS_ORIGINS', 'https://elsewhere.test/path'],
    ['CURBLINE_QUERY_TOKEN', 'yes'],
    ['CURBLINE_GRACE_S', '-1'],
    ['CURBLINE_RETENTION_DAYS', '1.5'],
    ['CURBLINE_MESSAGES_PER_S', 'many'],
    ['CURBLINE_MESSAGES_BURST', '0'],
    ['CURBLINE_LOG_LEVEL', 'loud'],
    ['CURBLINE_PING_INTERVAL_MS', '10'],
    ['CURBLINE_PING_TIMEOUT_MS', '10'],
    ['CURBLINE_MAX_PAYLOAD_BYTES', '1'],
    ['CURBLINE_TRANSPORTS', 'websocket,pigeon'],
    ['CURBLINE_SOCKET_ENGINE', 'fast'],
    ['CURBLINE_POLICY_FILE', '/nowhere/policy.json'],
    ['CURBLINE_CANNED_FILE', '/nowhere/canned.json'],
  ];
  for (const [name, value] of bad) {
    const sentence = await expectNoStart({ [name]: value }, name);
    if (!name.endsWith('_FILE')) expect(sentence, name).toMatch(/ must be /);
    if (value.length > 5 && !name.endsWith('_FILE')) expect(sentence, name).not.toContain(value);
  }
}, 60_000);

describe('in production', () => {
  test('keys are required, long, and not those of development', async () => {
    const { CURBLINE_API_KEYS, CURBLINE_TOKEN_SECRET } = KEYS;
    await expectNoStart({ NODE_ENV: 'production' }, 'CURBLINE_API_KEYS');
    await expectNoStart({ NODE_ENV: 'production', CURBLINE_TOKEN_SECRET }, 'CURBLINE_API_KEYS');
    const noSecret = await expectNoStart(
      { NODE_ENV: 'production', CURBLINE_API_KEYS },
      'CURBLINE_TOKEN_SECRET',
    );
    expect(noSecret).toContain('CURBLINE_JWKS_URL');
    const withShort = `${CURBLINE_API_KEYS},fifteen-letters`;
    expect(
      await expectNoStart({ ...PRODUCTION, CURBLINE_API_KEYS: withShort }, 'CURBLINE_API_KEYS'),
    ).toContain('16 characters');
    const dev = `dev_${randomBytes(32).toString('base64url')}`;
    await expectNoStart(
      { ...PRODUCTION, CURBLINE_API_KEYS: `${CURBLINE_API_KEYS},${dev}` },
      'CURBLINE_API_KEYS',
    );
    await expectNoStart({ ...PRODUCTION, CURBLINE_TOKEN_SECRET: dev }, 'CURBLINE_TOKEN_SECRET');
  });

  test('what was generated in the data folder is refused, however it looks', async () => {
    const dataDir = await mkdtemp(join(folder, 'with-keys-'));
    // As versions before the prefix have written it.
    const keys = { api_key: randomBytes(16).toString('hex'), token_secret: randomBytes(32).toString('hex') };
    await writeFile(join(dataDir, 'dev-keys.json'), JSON.stringify(keys));
    const env = { ...PRODUCTION, CURBLINE_DATA_DIR: dataDir };
    await expectNoStart({ ...env, CURBLINE_TOKEN_SECRET: keys.token_secret }, 'CURBLINE_TOKEN_SECRET');
    await expectNoStart({ ...env, CURBLINE_API_KEYS: keys.api_key }, 'CURBLINE_API_KEYS');
  });

  test('a wildcard of origins is refused', async () => {
    const origins = 'https://app.example,*';
    await expectNoStart({ ...PRODUCTION, CURBLINE_CORS_ORIGINS: origins }, 'CURBLINE_CORS_ORIGINS');
  });
});

describe('a start that succeeds', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.stop());

  const secretOf = async (running: TestServer) =>
    running.keys().then(
      (keys) => keys.token_secret,
      () => KEYS.CURBLINE_TOKEN_SECRET,
    );
  const byQuery = async (running: TestServer) => {
    const claims = { sub: 'q', scope: 'driver', exp: nowS() + 60 };
    const token = jwt(claims, await secretOf(running));
    return Person.connect(running, token, { auth: {}, query: { token } });
  };
  const fromPage = (running: TestServer, origin: string) =>
    fetch(`${running.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });

  test('in production every door is closed that is open in development', async () => {
    server = await TestServer.start(PRODUCTION);
    const { url } = server;
    await expect(byQuery(server)).rejects.toMatchObject({ data: { error: { code: 'unauthenticated' } } });
    expect((await fromPage(server, 'https://app.example')).ok).toBe(false);
    for (const path of ['/demo/', '/demo/session']) expect((await fetch(url + path)).status).toBe(404);
    await expect(access(join(server.dataDir, 'dev-keys.json'))).rejects.toThrow();
    expect((await server.rest('GET', '/v1/bookings')).status).toBe(200);
  });

  test('in development keys are made, doors are open, and port 0 is a real one', async () => {
    server = await TestServer.start();
    const port = Number(new URL(server.url).port);
    expect(port).toBeGreaterThan(0);
    expect(server.output).toContain(`ready at http://127.0.0.1:${port}`);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    const keys = JSON.parse(await readFile(join(server.dataDir, 'dev-keys.json'), 'utf8')) as object;
    expect(Object.values(keys).every((key: string) => key.startsWith('dev_'))).toBe(true);
    (await byQuery(server)).leave();
    expect((await fromPage(server, 'https://app.example')).ok).toBe(true);
    expect((await fetch(`${server.url}/demo/`)).status).toBe(200);
  });

  test('a short key will do in development, and an empty variable is one that is not set', async () => {
    server = await TestServer.start({ CURBLINE_API_KEYS: 'k,other', CURBLINE_CORS_ORIGINS: '' });
    expect((await server.rest('GET', '/v1/bookings')).status).toBe(200);
    const other = { authorization: 'Bearer other' };
    expect((await server.rest('GET', '/v1/bookings', undefined, other)).status).toBe(200);
    expect((await fromPage(server, 'https://app.example')).ok).toBe(true);
  });
});

test('the command `curbline` runs Node as `npm start` does', async () => {
  const [first] = (await readFile(join(ROOT, 'apps/standalone/src/cli.ts'), 'utf8')).split('\n');
  expect(first).toBe(`#!/usr/bin/env -S node ${FLAGS.join(' ')}`);
});
