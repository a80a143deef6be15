import { spawn } from 'node:child_process';
import { errorText } from './embedded-postgres-error.js';
import type { RunAs } from './run-as.js';

const OUTPUT_LIMIT = 2_000;

interface ProgramOptions {
  cwd: string;
  env: Record<string, string>;
  uid?: number;
  gid?: number;
}

/** How PostgreSQL's programs run: as their user, in a folder that exists for everyone, with nothing of our environment. */
export function programOptions(runAs: RunAs): ProgramOptions {
  return {
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' },
    ...(runAs.switched ? { uid: runAs.uid, gid: runAs.gid } : {}),
  };
}

/** Runs a program to its end; answers with the end of what it said, and whether it succeeded. */
export function runProgram(
  file: string,
  args: readonly string[],
  runAs: RunAs,
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    // Nobody wants its progress, but a pipe ends it soon after we are killed: it dies of writing to no one.
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...programOptions(runAs) });
    child.stdout.resume();
    let output = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-OUTPUT_LIMIT)));
    child.once('error', (error) => resolve({ ok: false, output: errorText(error) }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
