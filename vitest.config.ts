import { defineConfig } from 'vitest/config';

// Worker processes inherit it: `leaveOut` writes there, the closing reporter reads it.
process.env['TESTS_LEFT_OUT_FILE'] ??= `tests/.out/left-out-${process.pid}.jsonl`;

export default defineConfig({
  // Legacy decorators with metadata, as the packages' own tsconfigs say, for tests that declare NestJS classes.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: [
      'packages/*/src/**/*.test.{ts,tsx}',
      'apps/*/src/**/*.test.{ts,tsx}',
      'tests/**/*.test.ts',
      'tools/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', 'tests/.out/**'],
    environment: 'node',
    globalSetup: './tests/harness/template.ts',
    pool: 'forks',
    // Each test file may run a server, a PostgreSQL and a browser of its own.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ['default', './tests/harness/closing-reporter.ts'],
  },
});
