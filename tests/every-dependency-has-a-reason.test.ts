import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './harness/program.js';

type Manifest = Partial<
  Record<'dependencies' | 'devDependencies' | 'peerDependencies' | 'optionalDependencies', object>
>;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`),
);

test('docs/decisions/dependencies.md says of every dependency why it is here, and of none that is not', () => {
  const used = ['.', ...folders, 'tests', 'bench'].flatMap((folder) => {
    const manifest = JSON.parse(read(`${folder}/package.json`)) as Manifest;
    const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest;
    return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies });
  });
  const wanted = [...new Set(used)].filter((name) => !name.startsWith('@curbline/')).sort();
  const listed = read('docs/decisions/dependencies.md')
    .split('\n- ')
    .slice(1)
    // The names are before the first colon, each in code.
    .flatMap((item) => [...(item.split(':')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
    .sort();
  expect(listed).toEqual(wanted);
});
