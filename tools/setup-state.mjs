// What a checkout needs, read from its files alone: nothing here writes.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** `undefined` when what is installed is what the lock says; otherwise why not, in a few words. */
export function whyInstall(root) {
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (installed === undefined) return 'nothing is installed yet';
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !path.includes('node_modules/')) {
      if (differs(entry, readJson(join(root, path, 'package.json')))) {
        return `${join(path, 'package.json')} changed`;
      }
      continue;
    }
    const there = installed[path];
    if (there === undefined ? !entry.optional : !isSame(entry, there)) return 'package-lock.json changed';
  }
  return undefined;
}

function isSame(a, b) {
  if (a.link || b.link) return a.link === b.link && a.resolved === b.resolved;
  return a.version === b.version && a.integrity === b.integrity;
}

const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'workspaces'];

function differs(locked, manifest) {
  if (manifest === undefined) return true;
  return fields.some((field) => sorted(locked[field]) !== sorted(manifest[field]));
}

function sorted(value) {
  if (value === undefined) return '[]';
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const roots = ['packages', 'apps'];
const outputs = new Set(['node_modules', 'dist', '.cache', '.curbline', '.vite']);
const rootFiles = ['package-lock.json', 'package.json', 'tsconfig.json', 'tsconfig.base.json'];

/** A hash of every file that a build reads, by content: a checkout of the same sources costs no build. */
export function sourceHash(root) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!existsSync(join(root, path))) return;
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  };
  rootFiles.forEach(add);
  for (const folder of roots) filesBelow(root, folder).forEach(add);
  return hash.digest('hex');
}

function filesBelow(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter((entry) => !outputs.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(root, path);
      return entry.isFile() ? [path] : [];
    });
}

/** The folders that `tsc -b` builds, from the references of the root tsconfig. */
export function tscProjects(root) {
  return (readJson(join(root, 'tsconfig.json'))?.references ?? []).map((reference) => reference.path);
}

/** Workspaces with a `build` script of their own, in the order in which they need each other. */
export function builders(root) {
  return ['packages/client', 'apps/web'].flatMap((folder) => {
    const script = readJson(join(root, folder, 'package.json'))?.scripts?.build;
    if (script !== undefined) return [{ folder, script }];
    const hasVite = existsSync(join(root, folder, 'vite.config.ts'));
    return hasVite ? [{ folder, script: 'vite build --logLevel warn' }] : [];
  });
}

export function readJson(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // A file cut short by a kill counts as absent; one that a person wrote wrong is reported by npm itself.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
