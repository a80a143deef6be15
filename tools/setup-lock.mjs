// One set-up at a time on one checkout. The lock is the highest numbered file in a folder: a number is created
// once (link fails when it exists), never deleted while it is the highest, so two waiters cannot both take over.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const beatMs = 2_000;
const silentMs = 60_000;
const pollMs = 150;

/** Waits until no other live process holds the lock, then returns `{ child(pid), release() }`. */
export async function takeLock(folder, onWait) {
  mkdirSync(folder, { recursive: true });
  let told = false;
  for (;;) {
    const highest = highestIn(folder);
    const owner = highest > 0 ? ownerOf(join(folder, String(highest))) : undefined;
    if (owner === undefined) {
      const mine = highest + 1;
      if (create(folder, mine, contentOf([process.pid])) && highestIn(folder) === mine)
        return held(folder, mine);
      continue;
    }
    if (!told) onWait(owner);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function held(folder, mine) {
  const file = join(folder, String(mine));
  for (const name of readdirSync(folder)) {
    if (name !== String(mine)) rmSync(join(folder, name), { force: true });
  }
  const beat = setInterval(() => touch(file), beatMs);
  beat.unref();
  return {
    // A killed set-up leaves its npm or tsc running: the next one must wait for that child too.
    child: (pid) => replace(folder, mine, contentOf(pid === undefined ? [process.pid] : [process.pid, pid])),
    release: () => {
      clearInterval(beat);
      replace(folder, mine, contentOf([]));
    },
  };
}

function contentOf(pids) {
  return JSON.stringify({ host: hostname(), pids });
}

function highestIn(folder) {
  const numbers = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return Math.max(0, ...numbers.map(Number));
}

/** The first live process that holds this file; undefined when it is free or its holders are gone. */
function ownerOf(file) {
  let held;
  let age;
  try {
    held = JSON.parse(readFileSync(file, 'utf8'));
    age = Date.now() - statSync(file).mtimeMs;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (held.host !== hostname()) return age < silentMs ? held.pids[0] : undefined;
  const [main, ...children] = held.pids;
  if (main !== undefined && age < silentMs && isAlive(main)) return main;
  return children.find(isAlive);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function create(folder, number, content) {
  const draft = join(folder, `draft-${process.pid}`);
  writeFileSync(draft, content);
  try {
    linkSync(draft, join(folder, String(number)));
    return true;
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(folder, number, content) {
  const file = join(folder, String(number));
  if (!existsSync(file)) return;
  const draft = join(folder, `draft-${process.pid}`);
  writeFileSync(draft, content);
  renameSync(draft, file);
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
