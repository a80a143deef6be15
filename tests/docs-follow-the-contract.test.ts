import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  COMMAND_NAMES,
  DISCONNECT_REASONS,
  ERROR_CODES,
  ERRORS,
  EVENT_NAMES,
  planned,
  routes,
  type RouteName,
} from '@curbline/contract';
import { expect, test } from 'vitest';
import { ROOT } from './harness/program.js';

const protocol = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
const rows = protocol.split('\n').filter((line) => line.startsWith('|'));
/** The row of a table whose first cell names this. */
const row = (name: string) => rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``));

test('the table of settings in docs/operating.md is what the contract says', () => {
  const check = spawnSync('node', ['tools/docs-settings.mjs', '--check'], { cwd: ROOT, encoding: 'utf8' });
  expect(check.stdout + check.stderr).toBe('the settings in docs/operating.md are current\n');
});

test('docs/protocol.md names every command and every event, and marks what is planned', () => {
  for (const [names, later] of [
    [COMMAND_NAMES, planned.commands] as const,
    [EVENT_NAMES, planned.events] as const,
  ]) {
    for (const name of names) {
      expect(row(name) ?? '', name).not.toBe('');
      expect(row(name)?.includes('_(planned)_'), name).toBe((later as readonly string[]).includes(name));
    }
  }
  for (const reason of DISCONNECT_REASONS) expect(protocol).toContain(`\`${reason}\``);
});

test('docs/protocol.md has every code with its status', () => {
  for (const code of ERROR_CODES) {
    expect(row(code)?.split('|')[2]?.trim(), code).toBe(String(ERRORS[code].status));
  }
});

test('docs/protocol.md names every route, and marks exactly the planned ones', () => {
  for (const name of Object.keys(routes) as RouteName[]) {
    const line = rows.find((candidate) =>
      [...candidate.matchAll(/`([A-Z]+ \/[^`?]+)/g)].some(([, route]) => route === name),
    );
    expect(line ?? '', name).not.toBe('');
    expect(line?.split(/(?<!\\)\|/)[1]?.includes('_(planned)_'), name).toBe(planned.routes.includes(name));
  }
});

test('npm start, the command and docs/operating.md give Node the same flags', () => {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
  const [command = ''] = read('apps/standalone/src/cli.ts').split('\n');
  const flags = command.slice(command.indexOf(' --') + 1);
  expect(flags).toMatch(/^(--[\w-]+(=\d+)? ?){3,}$/);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(scripts['start']).toBe(`exec node ${flags} apps/standalone/dist/main.js`);
  expect(read('docs/operating.md')).toContain(`\`${flags}\``);
});
