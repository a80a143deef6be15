import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Configuration } from './configuration.js';
import { devKeysPath } from './dev-keys.js';
import { dataDirOf, readEnvironment } from './env.js';
import { requireProduction } from './production.js';
import type { RunningServer } from './server.js';

/** Below the ten seconds that supervisors wait, and that we promise. */
const DRAIN_LIMIT_MS = 9_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  // V8 marks what lives while we work, on a core that is free. Where there is none, that takes ours from us for longer than marking in small steps does.
  if (availableParallelism() === 1) setFlagsFromString('--no-concurrent-marking');
  const env = readEnvironment();
  await requireProduction(env);
  // Compiled modules are kept in the data folder, where nobody else can write: the next start takes half the time.
  enableCompileCache(join(dataDirOf(env), 'compile-cache'));
  const { configure } = await import('./configuration.js');
  const { startServer } = await import('./server.js');
  const configuration = await configure(env);
  const starting = startServer(configuration);
  // Before anybody is told that it is ready: whoever stops it at once must not leave its database running.
  endOnSignals(starting);
  announce(await starting, configuration);
}

/** One line for each thing that is true. */
function announce(
  { url, notes }: RunningServer,
  { production, dataDir, devKeys, chat }: Configuration,
): void {
  say('');
  say(`  Curbline is ready at ${url}`);
  if (!production) say(`  Demo      ${url}/demo/  (a driver's and a customer's phone)`);
  say(`  API       ${url}/v1  (health: ${url}/health/ready)`);
  if (devKeys) say(`  Keys      ${devKeysPath(dataDir)}  (generated for development)`);
  say(
    'dataDir' in chat.database
      ? `  Data      ${dataDir}  (PostgreSQL inside; set CURBLINE_DATABASE_URL to use a server of yours)`
      : '  Data      on the server of CURBLINE_DATABASE_URL',
  );
  for (const note of notes) say(`            ${note}`);
  say('  Stop      Ctrl+C');
  say('');
}

/**
 * The first signal drains, as soon as the server has started; a second one, or a drain that takes too long, ends at once. A database that hangs is left
 * to itself: once everybody has been answered, nothing that was acknowledged can be lost by that.
 */
function endOnSignals(starting: Promise<RunningServer>): void {
  let ending = false;
  let server: RunningServer | undefined;
  starting.then(
    (running) => (server = running),
    () => undefined,
  );
  const end = () => {
    if (ending) process.exit(1);
    ending = true;
    setTimeout(() => {
      const quiet = server?.isQuiet() ?? false;
      complain(
        quiet ? 'Curbline leaves its database, which does not stop.' : 'Curbline did not stop in time.',
      );
      process.exit(quiet ? 0 : 1);
    }, DRAIN_LIMIT_MS).unref();
    const closing = starting.then((running) => running.close());
    closing.then(
      () => process.exit(0),
      (error: unknown) => {
        complain(`Curbline did not stop cleanly: ${explain(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** Errors that a person can act on are a sentence; anything else is a fault, with its stack. */
const SENTENCES = new Set(['SettingError', 'DatabaseStartError', 'EmbeddedPostgresError']);

/** Why nobody can listen there. */
const LISTENING: Record<string, string> = {
  EADDRINUSE: 'the port is taken; set CURBLINE_PORT to a free one.',
  EACCES: 'this user may not listen on that port; set CURBLINE_PORT to one above 1023.',
  EADDRNOTAVAIL: 'CURBLINE_HOST must be an address of this machine.',
  ENOTFOUND: 'CURBLINE_HOST must be an address of this machine.',
  EAI_AGAIN: 'CURBLINE_HOST must be an address of this machine.',
};

function fail(error: unknown): never {
  complain(`Curbline cannot start: ${explain(error)}`);
  process.exit(1);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const sentence = 'code' in error ? LISTENING[String(error.code)] : undefined;
  if (sentence !== undefined && 'syscall' in error && /^(listen|getaddrinfo)$/.test(String(error.syscall)))
    return sentence;
  return SENTENCES.has(error.name) ? error.message : (error.stack ?? error.message);
}

// A rejection that nobody handled has failed its request; it does not take the others down.
process.on('unhandledRejection', (reason) => {
  const text = reason instanceof Error ? reason.stack : String(reason);
  process.stderr.write(
    `${JSON.stringify({ level: 50, time: Date.now(), msg: 'unhandled rejection', text })}\n`,
  );
});

main().catch(fail);
