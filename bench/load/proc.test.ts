import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CpuWatch } from './proc.ts';

const BUSY_MS = 800;

test('what a process used before the window is not counted, though it began after the watch', async () => {
  const parent = spawn('sh', ['-c', 'read line; (while :; do :; done) & echo $!; wait'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const watch = new CpuWatch({ server: process.pid, database: parent.pid ?? -1 });
  parent.stdin.write('begin\n');
  const child = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
  await sleep(BUSY_MS);
  watch.begin();
  const { database } = watch.end();
  process.kill(child, 'SIGKILL');
  parent.kill('SIGKILL');
  expect(database).toBeLessThan(BUSY_MS / 1000 / 4);
});
