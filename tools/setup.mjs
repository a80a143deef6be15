// Makes a checkout ready to start or test: installs what the lock says, builds what the sources say. npm runs it
// before `start` and `test` with whatever Node is there, so it uses nothing that has to be installed first.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeLock } from './setup-lock.mjs';
import { builders, readJson, sourceHash, tscProjects, whyInstall } from './setup-state.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules/.bin');
const pinned = join(bin, 'node');
const stampFile = join(root, 'node_modules/.cache/curbline-build.json');
const always = process.argv[2] === 'build';

class SetupError extends Error {}

async function main() {
  if (!always && isReady()) return checkNode();
  const lock = await takeLock(join(root, '.cache/setup'), (pid) => {
    say(`Another set-up is at work here (process ${pid}); waiting for it ...`);
  });
  const stop = (signal) => {
    child?.kill(signal);
    lock.release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const reason = whyInstall(root);
    if (reason !== undefined) await install(lock, reason);
    checkNode();
    if (always || !isBuilt()) await build(lock);
  } finally {
    lock.release();
  }
}

function isReady() {
  return whyInstall(root) === undefined && isBuilt();
}

function isBuilt() {
  const stamp = readJson(stampFile);
  if (stamp === undefined || stamp.outputs.some((path) => !existsSync(join(root, path)))) return false;
  return stamp.sources === sourceHash(root);
}

async function install(lock, reason) {
  const first = !existsSync(join(root, 'node_modules'));
  say(first ? 'Installing dependencies (first time only) ...' : `Installing dependencies: ${reason} ...`);
  rmSync(join(root, 'node_modules/.package-lock.json'), { force: true });
  // No package here needs its install script; NODE_ENV=production must not leave the compiler out.
  const ci = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const cli = process.env.npm_execpath ?? '';
  const runner = process.env.npm_node_execpath ?? process.execPath;
  if (/npm-cli\.[cm]?js$/.test(cli) && existsSync(cli)) await run(lock, 'npm ci', runner, [cli, ...ci]);
  else await run(lock, 'npm ci', 'npm', ci, { shell: process.platform === 'win32' });
  dropForeignNode();
}

/** On a system whose C library the pinned Node was not built for, its link would hide a Node that works. */
function dropForeignNode() {
  if (!existsSync(pinned)) return;
  if (spawnSync(pinned, ['--version']).status !== 0) rmSync(pinned);
}

function checkNode() {
  if (existsSync(pinned)) return;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return;
  throw new SetupError(
    `There is no pinned Node for ${process.platform}-${process.arch} here, and the Node that runs this is ` +
      `${process.versions.node}: install Node 22.13 or later (26 is what Curbline is tested with) and run this again.`,
  );
}

async function build(lock) {
  say('Building ...');
  const sources = sourceHash(root);
  // Without a stamp the last build may have been cut off: its half-written outputs must not count as done.
  const force = always || readJson(stampFile) === undefined ? ['--force'] : [];
  rmSync(stampFile, { force: true });
  const projects = tscProjects(root);
  for (const project of projects) pruneOutputs(join(root, project));
  const node = existsSync(pinned) ? pinned : process.execPath;
  await run(lock, 'tsc -b', node, [join(root, 'node_modules/typescript/bin/tsc'), '-b', ...force]);
  const path = [bin, process.env.PATH].join(delimiter);
  for (const { folder, script } of builders(root)) {
    const env = { ...process.env, PATH: path };
    await run(lock, `the build of ${folder}`, script, [], { shell: true, cwd: join(root, folder), env });
  }
  const built = [...projects, ...builders(root).map(({ folder }) => folder)];
  const outputs = [...new Set(built)]
    .map((folder) => join(folder, 'dist'))
    .filter((path) => existsSync(join(root, path)));
  const draft = `${stampFile}.${process.pid}`;
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(draft, JSON.stringify({ sources, outputs }));
  renameSync(draft, stampFile);
}

/** Removes what a deleted or renamed source left behind: tsc does not, and such a file could still be imported. */
function pruneOutputs(project, below = '') {
  const folder = join(project, 'dist', below);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(below, entry.name);
    const stem = /^(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(path)?.[1];
    if (entry.isDirectory()) pruneOutputs(project, path);
    else if (
      stem !== undefined &&
      !['.ts', '.tsx'].some((ext) => existsSync(join(project, 'src', stem + ext)))
    ) {
      rmSync(join(project, 'dist', path));
    }
  }
}

let child;

/** Runs one step in silence; what it printed is shown, whole, when it fails. */
function run(lock, name, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const output = [];
    child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    if (child.pid !== undefined) lock.child(child.pid);
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => reject(new SetupError(`${name} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      child = undefined;
      lock.child(undefined);
      if (code === 0) return resolve();
      process.stderr.write(Buffer.concat(output));
      reject(new SetupError(`${name} failed (${signal ?? `exit code ${code}`}); its output is above.`));
    });
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

main().catch((error) => {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    say(`Set-up cannot write ${error.path}: the files here belong to another user. Use your own clone.`);
  } else {
    say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
  }
  process.exitCode = 1;
});
