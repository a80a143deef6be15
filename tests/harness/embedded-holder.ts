// A process of its own that uses the embedded database of the folder in argv[2]. It writes JSON lines to stdout and
// ends cleanly on the line "stop" at stdin. argv[3] names another copy of the sources.
import { createInterface } from 'node:readline';

const [
  ,
  ,
  dataDir = '',
  module = new URL('../../packages/server/src/store/embedded/embedded-postgres.ts', import.meta.url).href,
] = process.argv;
const { startEmbeddedPostgres } = (await import(
  module
)) as typeof import('../../packages/server/src/store/embedded/embedded-postgres.js');

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  const startedAt = performance.now();
  const postgres = await startEmbeddedPostgres({ dataDir, log: (log) => say({ log }) });
  const { connection, clusterDir, notes } = postgres;
  say({ ready: { connection, clusterDir, notes, afterMs: performance.now() - startedAt } });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'stop') continue;
    await postgres.stop();
    say({ stopped: true });
    break;
  }
} catch (error) {
  say({ failed: { name: (error as Error).name, message: (error as Error).message } });
  process.exitCode = 1;
}
