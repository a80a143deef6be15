import { setTimeout as sleep } from 'node:timers/promises';
import { LatencyRecorder } from './latency.ts';
import { openPeer } from './peer.ts';
import { CpuWatch } from './proc.ts';
import type { HandshakesResult, HandshakesSpec } from './spec.ts';

const ADDRESSES = 32;

/** Connects, waits until Socket.IO says that it is connected, leaves, and starts again; so many at a time. */
export async function runHandshakes(spec: HandshakesSpec): Promise<HandshakesResult> {
  const latency = new LatencyRecorder();
  const until = performance.now() + spec.warmupMs + spec.measureMs;
  let from = Infinity;
  let next = 0;
  let done = 0;
  let failed = 0;
  let reason: string | null = null;
  const worker = async () => {
    while (performance.now() < until && failed < 1000) {
      const index = next++;
      const at = performance.now();
      try {
        const peer = await openPeer({
          port: spec.port,
          dialect: spec.dialect,
          tokenPlace: spec.tokenPlace,
          token: spec.tokens[index % spec.tokens.length] ?? '',
          localAddress: `127.0.0.${2 + (index % ADDRESSES)}`,
          onClose: () => undefined,
        });
        peer.close();
        const now = performance.now();
        if (now >= from && now < until) {
          done += 1;
          latency.record(now - at);
        }
      } catch (error) {
        failed += 1;
        reason ??= String(error);
      }
    }
  };
  const watch = new CpuWatch(spec.watch);
  const workers = Array.from({ length: spec.concurrency }, worker);
  await sleep(spec.warmupMs);
  watch.begin();
  from = performance.now();
  await Promise.all(workers);
  const seconds = (until - from) / 1000;
  if (failed > 0) process.stderr.write(`${failed} handshakes failed, the first with: ${reason}\n`);
  return {
    seconds,
    handshakes: done,
    failed,
    perSecond: done / seconds,
    latency: latency.summary(),
    cpu: watch.end(),
  };
}
