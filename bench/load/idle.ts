import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openAll, type Peer } from './peer.ts';
import type { IdleSpec } from './spec.ts';

/** 28,000 ports lie between two addresses; spreading over loopback addresses leaves enough for any step. */
const ADDRESSES = 8;

/** Holds sockets open, more at each step, and answers heartbeats; a line on standard input takes the next step. */
export async function runIdle(spec: IdleSpec): Promise<{ closed: number }> {
  const lines = createInterface({ input: process.stdin });
  const peers: Peer[] = [];
  let closed = 0;
  for (const step of spec.steps) {
    const wanted = Array.from({ length: step - peers.length }, (_, i) => peers.length + i);
    const opened = await openAll(wanted, (index) => ({
      port: spec.port,
      dialect: spec.dialect,
      tokenPlace: spec.tokenPlace,
      token: spec.tokens[index % spec.tokens.length] ?? '',
      localAddress: `127.0.0.${2 + (index % ADDRESSES)}`,
      onClose: () => {
        closed += 1;
      },
    }));
    peers.push(...opened);
    process.stdout.write(`${JSON.stringify({ step, closed })}\n`);
    await once(lines, 'line');
  }
  lines.close();
  for (const peer of peers) peer.destroy();
  return { closed };
}
