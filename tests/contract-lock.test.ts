import { spawnSync } from 'node:child_process';
import { COMMAND_NAMES, planned, routes, type RouteName } from '@curbline/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { ROOT } from './harness/program.js';
import { TestServer } from './harness/server.js';

test('contract.lock.json says what the contract says', () => {
  const check = spawnSync('node', ['tools/contract-lock.mjs', '--check'], { cwd: ROOT, encoding: 'utf8' });
  expect(check.stdout + check.stderr).toBe('contract.lock.json is current\n');
});

describe('what is served is what the contract says is not planned', () => {
  let server: TestServer;
  let person: Person;
  beforeAll(async () => {
    server = await TestServer.start();
    person = await Person.connect(server, await server.token('driver', 'somebody'));
  });
  afterAll(async () => {
    person.leave();
    await server.stop();
  });

  test.each(COMMAND_NAMES)('command %s', async (name) => {
    // No command of the contract accepts this, so nothing happens but the judgement of the name.
    const { error } = await person.ask(name, { not_a_field: true });
    const served = JSON.stringify(error?.details) !== '[{"path":"","message":"unknown command"}]';
    expect({ code: error?.code, served }).toEqual({
      code: 'invalid',
      served: !planned.commands.includes(name),
    });
  });

  test('an unknown command is told apart from a served one', async () => {
    const error = await person.error('no.such.command', {});
    expect(error.details).toEqual([{ path: '', message: 'unknown command' }]);
  });

  test.each(Object.keys(routes) as RouteName[])('route %s', async (name) => {
    const [method, path] = name.split(' ') as [string, string];
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, param: string) =>
      param === 'scope' ? 'driver' : 'nobody',
    );
    const response = await fetch(server.url + filled, { method });
    const body = await response.text();
    // A served route of the host asks for a key before anything else, so this changes nothing.
    const served = !(response.status === 404 && body.includes('There is no such route'));
    expect(served, body.slice(0, 200)).toBe(!planned.routes.includes(name));
    if (served && routes[name].auth === 'api_key') expect(response.status).toBe(401);
  });
});
