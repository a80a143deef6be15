import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// Worker processes inherit it: `leaveOut` writes there, the closing reporter reads it.
process.env['TESTS_LEFT_OUT_FILE'] ??= `tests/.out/left-out-${process.pid}.jsonl`;
process.env['TESTS_PACKETS_FILE'] ??= `tests/.out/packets-${process.pid}.jsonl`;

/** Stories that break machines, databases and lines again and again: minutes of work. `npm run test:faults` runs them. */
const faults = [
  'tests/a-broken-database-connection-ends-no-server.test.ts',
  'tests/embedded-database.test.ts',
  'tests/hostile-bytes-*.test.ts',
  'tests/sdk-file-outbox.test.ts',
  'tests/sdk-on-a-bad-line.test.ts',
  'tests/sdk-survives-faults.test.ts',
  'tests/who-vanishes-is-offline.test.ts',
];
const all = [
  'packages/*/src/**/*.test.{ts,tsx}',
  'apps/*/src/**/*.test.{ts,tsx}',
  'tests/**/*.test.ts',
  'tools/**/*.test.ts',
  'chaos/**/*.test.ts',
  'bench/**/*.test.ts',
];

/** Stories whose people connect from the test's own process, by whatever transport they are told to. */
const told = readdirSync('tests')
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('hostile-bytes-'))
  .map((name) => `tests/${name}`)
  .filter((path) => /\b(Person\.connect|pair|createClient)\(/.test(readFileSync(path, 'utf8')));
const include = (mode: string) => (mode === 'faults' ? faults : mode === 'polling' ? told : all);

export default defineConfig(({ mode }) => ({
  // Legacy decorators with metadata, as the packages' own tsconfigs say, for tests that declare NestJS classes.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: include(mode),
    exclude: ['**/node_modules/**', '**/dist/**', 'tests/.out/**', ...(mode === 'test' ? faults : [])],
    environment: 'node',
    env: mode === 'polling' ? { TESTS_TRANSPORT: 'polling' } : {},
    globalSetup: './tests/harness/template.ts',
    setupFiles: './tests/harness/hold-to-rules.ts',
    pool: 'forks',
    // Each test file may run a server, a PostgreSQL and a browser of its own.
    maxWorkers: 3,
    testTimeout: 30_000,
    // The default, a second, is what the server takes for a line of its log that sums up a second.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ['default', './tests/harness/closing-reporter.ts'],
  },
}));
