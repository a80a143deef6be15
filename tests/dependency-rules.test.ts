import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const workspaces = ['packages', 'apps', 'tests', 'bench', 'examples', 'tools'];
const stages = ['gateway', 'rest', 'auth', 'chat', 'store', 'fanout', 'ops'];
const rightOf: Record<string, string[]> = {
  gateway: ['auth', 'chat', 'fanout', 'ops'],
  rest: ['auth', 'chat', 'ops'],
  chat: ['store', 'fanout', 'ops'],
  auth: ['ops'],
  store: ['ops'],
  fanout: ['ops'],
  ops: [],
};

/** One import that breaks one rule: the file it stands in, what it says, where it leads. */
interface Plant {
  rule: string;
  file: string;
  says: string;
}

const server = 'packages/server/src';
const stagePlants: Plant[] = stages.flatMap((from) =>
  stages
    .filter((to) => to !== from && rightOf[from]?.includes(to) !== true)
    .map((to) => ({
      rule: `${from}-imports-to-its-right`,
      file: `${server}/${from}/planted-${to}.ts`,
      // Types count too: a type is knowledge.
      says: `import type { Leaf } from '../${to}/planted-leaf.js';\nexport type Planted = Leaf;\n`,
    })),
);

const otherPlants: Plant[] = [
  {
    rule: 'root-words-import-no-stage',
    file: `${server}/planted-word.ts`,
    says: `export * from './ops/planted-leaf.js';`,
  },
  {
    rule: 'no-unknown-stage',
    file: `${server}/chat/planted-helper.ts`,
    says: `export * from '../helpers/planted-leaf.js';`,
  },
  {
    rule: 'nobody-imports-the-module',
    file: `${server}/planted-module.ts`,
    says: `import './chat.module.js';`,
  },
  {
    rule: 'sql-in-store',
    file: `${server}/chat/planted-sql.ts`,
    says: `import type { Pool } from 'pg';\nexport type P = Pool;`,
  },
  { rule: 'sql-in-store', file: 'apps/standalone/src/planted-sql.ts', says: `export { sql } from 'kysely';` },
  {
    rule: 'sockets-at-the-edge',
    file: `${server}/chat/planted-socket.ts`,
    says: `export { Server } from 'socket.io';`,
  },
  {
    rule: 'sockets-at-the-edge',
    file: `${server}/rest/planted-engine.ts`,
    says: `export * from 'engine.io';`,
  },
  {
    rule: 'socket-client-in-sdk',
    file: 'apps/web/src/planted-io.ts',
    says: `export { io } from 'socket.io-client';`,
  },
  {
    rule: 'contract-imports-its-own',
    file: 'packages/contract/src/planted-up.ts',
    says: `export * from '@curbline/client';`,
  },
  {
    rule: 'server-imports-its-own',
    file: `${server}/ops/planted-sdk.ts`,
    says: `export * from '@curbline/client';`,
  },
  {
    rule: 'client-imports-its-own',
    file: 'packages/client/src/planted-server.ts',
    says: `export * from '@curbline/server';`,
  },
  {
    rule: 'standalone-imports-its-own',
    file: 'apps/standalone/src/planted-sdk.ts',
    says: `export * from '@curbline/client';`,
  },
  {
    rule: 'web-imports-its-own',
    file: 'apps/web/src/planted-wire.ts',
    says: `export * from '@curbline/contract';`,
  },
  { rule: 'apps-have-no-importers', file: 'bench/planted-app.ts', says: `import 'curbline/dist/main.js';` },
  {
    rule: 'front-doors-only',
    file: 'bench/planted-inside.ts',
    says: `export * from '../${server}/ops/planted-leaf.js';`,
  },
  {
    rule: 'front-doors-only',
    file: `${server}/ops/planted-path.ts`,
    says: `export * from '../../../contract/src/names.js';`,
  },
  {
    rule: 'tests-use-front-doors',
    file: 'tests/planted-inside.ts',
    says: `export * from '../${server}/ops/planted-leaf.js';`,
  },
  {
    rule: 'contract-stands-on-zod',
    file: 'packages/contract/src/planted-node.ts',
    says: `export { join } from 'node:path';`,
  },
  {
    rule: 'words-stay-schema-free',
    file: 'packages/contract/src/wire.ts',
    says: `export * from './planted-schema.js';`,
  },
  {
    rule: 'client-stands-on-little',
    file: 'packages/client/src/planted-dependency.ts',
    says: `export { z } from 'zod';`,
  },
  {
    rule: 'client-runs-in-browsers',
    file: 'packages/client/src/index.ts',
    says: `export * from './planted-file.js';`,
  },
  { rule: 'no-cycles', file: `${server}/ops/planted-round.ts`, says: `export * from './planted-about.js';` },
  {
    rule: 'no-unresolved',
    file: 'tests/planted-deep.ts',
    says: `export * from '@curbline/server/dist/ops/log.js';`,
  },
];
const plants = [...stagePlants, ...otherPlants];

/** What is allowed stays allowed: none of these may be reported. */
const allowed: Record<string, string> = {
  ...Object.fromEntries(
    stages.map((stage) => [
      `${server}/${stage}/planted-fine.ts`,
      (rightOf[stage] ?? [])
        .map((to) => `export type { Leaf as ${to} } from '../${to}/planted-leaf.js';\n`)
        .join('') + `export * from '../planted-plain-word.js';\n`,
    ]),
  ),
  ...Object.fromEntries(
    [...stages, 'helpers'].map((stage) => [`${server}/${stage}/planted-leaf.ts`, 'export type Leaf = 1;\n']),
  ),
  [`${server}/planted-plain-word.ts`]: 'export const word = 1;\n',
  [`${server}/ops/planted-about.ts`]: `export * from './planted-round.js';\n`,
  [`${server}/store/planted-fine-sql.ts`]: `export { Pool } from 'pg';\nexport { sql } from 'kysely';\n`,
  [`${server}/fanout/planted-fine-socket.ts`]: `export { Server } from 'socket.io';\n`,
  'packages/client/src/planted-file.ts': `export { readFile } from 'node:fs/promises';\n`,
  'packages/contract/src/planted-schema.ts': `export { z } from 'zod';\n`,
  'tests/planted-fine.ts': `export * from '../${server}/store/embedded/planted-leaf.js';\nexport * from '@curbline/client';\n`,
  [`${server}/store/embedded/planted-leaf.ts`]: 'export type Leaf = 1;\n',
};

const environmentPlants: Record<string, string> = {
  [`${server}/ops/planted-env.ts`]: `export const port = process.env['PORT'];\n`,
  'packages/client/src/planted-env.ts': `export const port = globalThis.process.env['PORT'];\n`,
  'apps/standalone/src/planted-env.ts': `import { env } from 'node:process';\nexport const port = env['PORT'];\n`,
};

let copy: string;

beforeAll(() => {
  copy = copyOfTheTree();
  for (const [file, says] of Object.entries(allowed)) write(file, says);
  for (const { file, says } of plants)
    write(file, existsSync(join(copy, file)) ? `${read(file)}\n${says}` : says);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('the dependency rules', { timeout: 120_000 }, () => {
  it('hold in the tree as it is', () => {
    expect(violations(root).map(({ rule, from, to }) => `${rule}: ${from} → ${to}`)).toEqual([]);
  });

  it('each catch what is planted against it, once, and report nothing else', () => {
    const planted = new Set([...plants.map(({ file }) => file), ...Object.keys(allowed)]);
    const found = violations(copy).filter(({ from }) => planted.has(from));
    // A cycle is reported from one of its two ends.
    const told = found.map(
      ({ rule, from }) => `${rule}: ${rule === 'no-cycles' ? from.replace('about', 'round') : from}`,
    );
    expect(told.toSorted()).toEqual(plants.map(({ rule, file }) => `${rule}: ${file}`).toSorted());
  });

  it('have a planted violation for each rule there is', async () => {
    const config = (await import(join(root, '.dependency-cruiser.mjs'))) as {
      default: { forbidden: { name: string }[] };
    };
    const names = config.default.forbidden.map(({ name }) => name);
    expect([...new Set(plants.map(({ rule }) => rule))].toSorted()).toEqual(names.toSorted());
  });

  it('let only env.ts of the standalone server read the environment', () => {
    for (const [file, says] of Object.entries(environmentPlants)) write(file, says);
    write('apps/standalone/src/env.ts', `export const port = process.env['PORT'];\n`);
    const files = [...Object.keys(environmentPlants), 'apps/standalone/src/env.ts'];
    const { stdout } = spawnSync(tool('oxlint'), ['--format=json', ...files], {
      cwd: copy,
      encoding: 'utf8',
    });
    // The shape of oxlint's own JSON report.
    const report = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
    const rules = new Set([
      'node(no-process-env)',
      'eslint(no-restricted-imports)',
      'eslint(no-restricted-properties)',
    ]);
    const caught = report.diagnostics.filter(({ code }) => rules.has(code)).map(({ filename }) => filename);
    expect(caught.toSorted()).toEqual(Object.keys(environmentPlants).toSorted());
  });
});

interface Violation {
  rule: string;
  from: string;
  to: string;
}

function violations(folder: string): Violation[] {
  const present = workspaces.filter((name) => existsSync(join(folder, name)));
  const args = [...present, '--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const run = spawnSync(tool('depcruise'), args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.stdout === '') throw new Error(`dependency-cruiser said nothing: ${run.stderr}`);
  // The shape of dependency-cruiser's own JSON report.
  const report = JSON.parse(run.stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] };
  };
  return report.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

/** The sources, with our packages linked among themselves: plants never touch the real tree. */
function copyOfTheTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'curbline-rules-'));
  const skipped = /[\\/](?:node_modules|dist|\.out|\.cache|\.curbline)(?:[\\/]|$)/;
  for (const name of [
    ...workspaces,
    '.dependency-cruiser.mjs',
    '.oxlintrc.json',
    'package.json',
    'tsconfig.base.json',
  ]) {
    const source = join(root, name);
    if (!existsSync(source)) continue;
    cpSync(source, join(folder, name), {
      recursive: true,
      filter: (path) => !skipped.test(path.slice(root.length)),
    });
  }
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@curbline'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@curbline' && name !== 'curbline' && !name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  symlinkSync(join(folder, 'apps/standalone'), join(modules, 'curbline'));
  mkdirSync(join(folder, 'apps/standalone/dist'));
  writeFileSync(join(folder, 'apps/standalone/dist/main.js'), 'export {};\n');
  for (const name of ['contract', 'server', 'client']) {
    const front = join(folder, 'packages', name);
    symlinkSync(front, join(modules, '@curbline', name));
    const manifest = JSON.parse(readFileSync(join(front, 'package.json'), 'utf8')) as {
      exports: Record<string, { default?: string }>;
    };
    for (const { default: file } of Object.values(manifest.exports)) {
      if (file === undefined) continue;
      mkdirSync(dirname(join(front, file)), { recursive: true });
      writeFileSync(join(front, file), 'export {};\n');
    }
  }
  return folder;
}

function tool(name: string): string {
  return join(root, 'node_modules/.bin', name);
}

function write(file: string, content: string): void {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), content);
}

function read(file: string): string {
  return readFileSync(join(copy, file), 'utf8');
}
