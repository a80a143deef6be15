// All that a tool can check, in one command: every step runs, and the end says which of them failed.
import { spawnSync } from 'node:child_process';

const checks = ['format:check', 'lock', 'lint', 'types', 'deps', 'unused', 'packages'];
const steps =
  process.argv[2] === 'checks' ? checks : [...checks, 'test', 'test:faults', 'test:polling', 'chaos:slice'];

const results = steps.map((step) => {
  process.stdout.write(`\n== npm run ${step}\n`);
  const startedMs = Date.now();
  const { status } = spawnSync('npm', ['run', '--silent', step], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return { step, ok: status === 0, seconds: ((Date.now() - startedMs) / 1000).toFixed(1) };
});

process.stdout.write('\n');
for (const { step, ok, seconds } of results) {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${step.padEnd(14)} ${seconds.padStart(6)} s\n`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
