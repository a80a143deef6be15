// What we publish works for those who install it: publint looks at the manifest and the files it names, attw at
// the types as each kind of importer resolves them. Both look at the tarball that npm would upload.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const published = ['packages/contract', 'packages/client', 'packages/server', 'apps/standalone'];
const folder = mkdtempSync(join(tmpdir(), 'curbline-packages-'));
let failed = false;

function run(title, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const ok = status === 0;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${title}\n`);
  if (!ok) process.stdout.write(`${stdout}${stderr}\n`);
  failed ||= !ok;
  return ok;
}

for (const path of published) {
  const into = mkdtempSync(join(folder, 'pack-'));
  if (!run(`npm pack ${path}`, 'npm', ['pack', `./${path}`, '--pack-destination', into, '--ignore-scripts']))
    continue;
  const tarball = join(into, readdirSync(into)[0]);
  run(`publint ${path}`, 'publint', ['run', tarball, '--strict']);
  // Everything here is ESM: that CommonJS has to import it dynamically is meant so.
  if (path.startsWith('packages/'))
    run(`attw ${path}`, 'attw', [tarball, '--profile', 'esm-only', '--format', 'ascii']);
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = failed ? 1 : 0;
