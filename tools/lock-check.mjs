// package-lock.json must hold for every platform: npm leaves out an optional package that it could not find when
// the lock was written, and then refuses the lock on a clean clone (`npm ci`: "Missing … from lock file").
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

function isLocked(from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[join(at, 'node_modules', name)] !== undefined) return true;
    if (at === '' || !at.includes('/node_modules/')) return packages[`node_modules/${name}`] !== undefined;
  }
}

const problems = [];
for (const [path, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!isLocked(path, name))
      problems.push(`${name}, which ${path || 'the root'} may need on another platform, is missing`);
  }
  if (entry.resolved !== undefined && !entry.link) problems.push(`${path} names the host that it came from`);
}
for (const problem of problems) console.error(`package-lock.json: ${problem}`);
if (problems.length > 0) {
  console.error('Choose a version whose packages all exist, and write the lock again from scratch.');
  process.exitCode = 1;
}
