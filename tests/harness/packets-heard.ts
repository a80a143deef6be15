import { existsSync, readFileSync, rmSync } from 'node:fs';

/** Where each test file writes how many packets its clients have heard, a line of JSON for each. */
export function packetsFile(): string {
  const path = process.env['TESTS_PACKETS_FILE'];
  if (path === undefined)
    throw new Error('TESTS_PACKETS_FILE is set by vitest.config.ts; run the tests through it');
  return path;
}

/** Packets of the server that were held to the rules in this run, by transport. */
export function packetsHeard(): { websocket: number; polling: number } {
  const sum = { websocket: 0, polling: 0 };
  if (!existsSync(packetsFile())) return sum;
  for (const line of readFileSync(packetsFile(), 'utf8').split('\n').filter(Boolean)) {
    // Written by hold-to-rules.ts, in this run.
    const { websocket, polling } = JSON.parse(line) as typeof sum;
    sum.websocket += websocket;
    sum.polling += polling;
  }
  return sum;
}

export function forgetPackets(): void {
  rmSync(packetsFile(), { force: true });
}
