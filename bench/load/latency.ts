import { build } from 'hdr-histogram-js';
import type { Latency } from './spec.ts';

/** An HDR histogram of microseconds: three significant digits, up to a minute. */
export class LatencyRecorder {
  private readonly histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });

  record(ms: number): void {
    this.histogram.recordValue(Math.min(60_000_000, Math.max(1, Math.round(ms * 1000))));
  }

  summary(): Latency {
    const h = this.histogram;
    const at = (percentile: number) => (h.totalCount === 0 ? 0 : h.getValueAtPercentile(percentile));
    return {
      count: h.totalCount,
      mean: h.totalCount === 0 ? 0 : h.mean,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: h.totalCount === 0 ? 0 : h.maxValue,
    };
  }
}
