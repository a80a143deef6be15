import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../rig/paths.ts';
import { bugs } from './list.ts';

test('every planted bug still fits the code, so that the proof can run', () => {
  const misfits = bugs.flatMap(({ name, patches = [] }) => {
    const files = new Map<string, string>();
    return patches.flatMap(({ file, find, put }) => {
      const before = files.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
      const after = before.replace(find, put);
      files.set(file, after);
      return after === before ? [`${name}: ${file}`] : [];
    });
  });
  expect(misfits).toEqual([]);
  expect(bugs.length).toBeGreaterThanOrEqual(10);
});
