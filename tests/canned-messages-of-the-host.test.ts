import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_CANNED } from '@curbline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pair } from './harness/people.js';
import { TestServer } from './harness/server.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'curbline-canned-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
const fileWith = async (content: string) => {
  const file = join(folder, `${(files += 1)}.json`);
  await writeFile(file, content);
  return file;
};

/** The example of the operator's page, so that it stays true. */
const example = async () => {
  const page = await readFile(new URL('../docs/operating.md', import.meta.url), 'utf8');
  return /### Canned messages of your own[\s\S]*?```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
};

test('a file replaces the catalogue: its keys are shown, sent and told, the default ones are unknown', async () => {
  const server = await TestServer.start({ CURBLINE_CANNED_FILE: await fileWith(await example()) });
  try {
    const shown = await (await fetch(`${server.url}/v1/canned`)).json();
    expect(shown).toEqual({
      at_the_door: { params: {}, text: { en: 'I am at the door', es: 'Estoy en la puerta' } },
      floor: {
        params: { floor: { type: 'integer', min: -3, max: 60 } },
        text: { en: 'Please come to floor {floor}', es: 'Ven al piso {floor}' },
      },
    });
    const { booking_id, driver, customer } = await pair(server);
    const say = (body: object) => ({ booking_id, client_id: crypto.randomUUID(), kind: 'canned', body });
    await driver.data('message.send', say({ key: 'floor', params: { floor: 7 } }));
    const { message } = await customer.hears<{ message: { body: object } }>('message.created');
    expect(message.body).toEqual({ key: 'floor', params: { floor: 7 } });
    for (const body of [
      { key: 'on_my_way' },
      { key: 'floor' },
      { key: 'floor', params: { floor: 61 } },
      { key: 'floor', params: { floor: 1.5 } },
      { key: 'at_the_door', params: { floor: 1 } },
      { key: 'constructor' },
    ])
      expect((await driver.error('message.send', say(body))).code, JSON.stringify(body)).toBe('invalid');
    driver.leave();
    customer.leave();
  } finally {
    await server.stop();
  }
}, 60_000);

test('a file that is no catalogue stops the start with a sentence that names the setting', async () => {
  const entry = (params: object, text: object) => JSON.stringify({ key: { params, text } });
  const floor = { floor: { type: 'integer', min: 0, max: 5 } };
  const wrong = [
    '{',
    '[]',
    '{}',
    entry({}, {}),
    entry(floor, { en: 'no place for it' }),
    entry({}, { en: 'where is {floor}' }),
    entry({ floor: { type: 'integer', min: 5, max: 0 } }, { en: '{floor}' }),
    entry({ floor: { type: 'text' } }, { en: '{floor}' }),
    entry({}, { 'not a language': 'x' }),
    JSON.stringify({ 'Not A Key': { text: { en: 'x' } } }),
  ];
  const paths = [...(await Promise.all(wrong.map(fileWith))), join(folder, 'missing.json')];
  await Promise.all(
    paths.map((path, index) =>
      expect(TestServer.start({ CURBLINE_CANNED_FILE: path }), wrong[index] ?? path).rejects.toThrow(
        /CURBLINE_CANNED_FILE/,
      ),
    ),
  );
}, 120_000);

test('the default catalogue would be a good file', async () => {
  const server = await TestServer.start({
    CURBLINE_CANNED_FILE: await fileWith(JSON.stringify(DEFAULT_CANNED)),
  });
  expect(await (await fetch(`${server.url}/v1/canned`)).json()).toEqual(DEFAULT_CANNED);
  await server.stop();
}, 60_000);
