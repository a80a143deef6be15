import type { Row } from '../report/row.ts';
import { ack, curve, latency } from './latency.ts';
import type { Bench } from './measure.ts';
import { scale } from './scale.ts';
import { handshakes, memory } from './sockets.ts';
import { relay, throughput } from './throughput.ts';

/** The rows in the order they run; `curve` has no bound, its figures are for the plots. */
export const allRows: Record<string, (bench: Bench) => Promise<Row>> = {
  throughput,
  relay,
  latency,
  ack,
  memory,
  handshakes,
  scale,
  curve,
};
