import { appendFileSync, mkdirSync } from 'node:fs';
import { expect } from 'vitest';
import { pair } from './people.js';
import type { WatchedServer } from './vital-signs.js';

/** What an attack did to the server and to two people who went on talking. */
export interface Harm {
  /** Longest turn of the event loop, CPU time of its thread. */
  heldMs: number;
  /** Longest delay of the event loop by the clock. */
  delayMs: number;
  /** Peak of the resident memory over what it was just before. */
  grownMb: number;
  /** The same, over what it was before the first attack on this server. */
  totalMb: number;
  answers: number;
  answerMedianMs: number;
  answerMaxMs: number;
}

const MB = 1_048_576;
const TALK_EVERY_MS = 40;
const FIGURES = 'tests/.out/hostile-bytes.jsonl';

/** Lets two people talk while the attack goes on, and says what came of it. Their every command is answered. */
export async function underAttack(
  watched: WatchedServer,
  name: string,
  attack: () => Promise<void>,
): Promise<Harm> {
  const { booking_id, driver, customer } = await pair(watched.server);
  for (const person of [driver, customer]) await person.data('booking.join', { booking_id });
  // What a server weighs that has done a little work; the first attack must not pay for what the engine compiles.
  for (let index = 0; index < (watched.isFresh ? 800 : 50); index += 1)
    await customer.data('message.list', { booking_id });
  const { rss: beforeBytes, first } = await watched.baseline();
  const tookMs: number[] = [];
  let going = true;
  const timed = async (work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    tookMs.push(performance.now() - from);
  };
  const talk = async () => {
    for (let turn = 0; going; turn += 1) {
      if (turn % 8 === 0) {
        const text = `still talking ${turn}`;
        await timed(() => driver.send(booking_id, text));
        await customer.hears<{ message: { body: { text: string } } }>(
          'message.created',
          ({ message }) => message.body.text === text,
        );
      } else await timed(() => customer.data('message.list', { booking_id, limit: 1 }));
      await new Promise((resolve) => setTimeout(resolve, TALK_EVERY_MS));
    }
  };
  const talking = talk();
  try {
    await attack();
  } finally {
    going = false;
    await talking;
  }
  const after = await watched.read();
  driver.leave();
  customer.leave();
  tookMs.sort((a, b) => a - b);
  const harm: Harm = {
    heldMs: Math.round(after.heldMs),
    delayMs: Math.round(after.delayMs),
    grownMb: Math.round((after.peakRss - beforeBytes) / MB),
    totalMb: Math.round((after.peakRss - first.rss) / MB),
    answers: tookMs.length,
    answerMedianMs: Math.round(tookMs[tookMs.length >> 1] ?? 0),
    answerMaxMs: Math.round(tookMs.at(-1) ?? 0),
  };
  mkdirSync('tests/.out', { recursive: true });
  appendFileSync(FIGURES, `${JSON.stringify({ name, ...harm })}\n`);
  return harm;
}

/**
 * The promise: the event loop is never held over 100 ms, memory does not grow over 64 MB, others go on. Held is
 * measured in CPU time of the server's thread, so that a busy machine is not mistaken for a blocked server.
 */
export function expectHarmless(harm: Harm): void {
  expect(harm.heldMs, JSON.stringify(harm)).toBeLessThanOrEqual(100);
  expect(harm.grownMb, JSON.stringify(harm)).toBeLessThanOrEqual(64);
  expect(harm.totalMb, JSON.stringify(harm)).toBeLessThanOrEqual(96);
  // Each answer came within the ten seconds that `Person` waits. Its figure holds this process too, which attacks.
  expect(harm.answers).toBeGreaterThan(0);
  if (harm.answers >= 5) expect(harm.answerMedianMs, JSON.stringify(harm)).toBeLessThan(2_000);
}
