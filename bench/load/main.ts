// The load generator's process: reads one JSON file that says what to do, prints one line of JSON.
import { readFileSync } from 'node:fs';
import { runHandshakes } from './handshakes.ts';
import { runIdle } from './idle.ts';
import { runMessages } from './messages.ts';
import type { ChecksSpec, HandshakesSpec, IdleSpec, LoadSpec, MessagesSpec, TurnsSpec } from './spec.ts';
import { runTurns } from './turns.ts';

const [, , file] = process.argv;
if (file === undefined) throw new Error('usage: node load/main.ts <spec.json>');
const spec = JSON.parse(readFileSync(file, 'utf8')) as LoadSpec;

const jobs = {
  messages: () => runMessages(spec as MessagesSpec),
  idle: () => runIdle(spec as IdleSpec),
  handshakes: () => runHandshakes(spec as HandshakesSpec),
  // With libraries that no other load needs.
  checks: async () => (await import('./checks.ts')).runChecks(spec as ChecksSpec),
  turns: () => runTurns(spec as TurnsSpec),
} satisfies Record<LoadSpec['mode'], () => Promise<unknown>>;

const result = await jobs[spec.mode]();
process.stdout.write(`${JSON.stringify({ result })}\n`, () => process.exit(0));
