import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Bytes of a program with these imports, as a browser gets it: bundled, minified, gzipped. */
const weigh = async (program: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['react'],
    write: false,
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).byteLength;
};

const SDK = `export { createClient, CurblineError } from '@curbline/client';`;

test('the SDK with its transport weighs at most 20 kB gzipped, the React hooks at most 5 kB more', async () => {
  const sdk = await weigh(SDK);
  const withHooks = await weigh(`${SDK} export * from '@curbline/client/react';`);
  expect(sdk).toBeGreaterThan(10_000);
  expect(sdk).toBeLessThanOrEqual(20_000);
  expect(withHooks - sdk).toBeGreaterThan(0);
  expect(withHooks - sdk).toBeLessThanOrEqual(5_000);
});

test('nothing of the schema library or of Node gets into a browser', async () => {
  const { metafile } = await build({
    stdin: { contents: `${SDK} export * from '@curbline/client/react';`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['react'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  expect(Object.keys(metafile.inputs).filter((path) => /zod|node:|file-outbox/.test(path))).toEqual([]);
});
