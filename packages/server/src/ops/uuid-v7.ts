import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;
let lastMs = 0;
let counter = 0;
let time = '';

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const byte = (at: number) => hex[pool[at] ?? 0] ?? '00';

/**
 * A UUIDv7 (RFC 9562): 48 bits of milliseconds, a 12-bit counter within the millisecond, 62 random bits.
 * Random bytes are drawn in bulk: one system call for hundreds of ids.
 */
export function uuidV7(nowMs: number = Date.now()): string {
  if (used + 8 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  // The counter keeps ids of one millisecond in order; a clock that jumps back keeps the last time.
  if (nowMs > lastMs) begin(nowMs);
  else if (++counter > 0xfff) begin(lastMs + 1);
  const at = used;
  used += 8;
  const variant = hex[((pool[at] ?? 0) & 0x3f) | 0x80] ?? '80';
  return (
    `${time}-${hex[0x70 | (counter >> 8)] ?? '70'}${hex[counter & 0xff] ?? '00'}-${variant}${byte(at + 1)}-` +
    `${byte(at + 2)}${byte(at + 3)}${byte(at + 4)}${byte(at + 5)}${byte(at + 6)}${byte(at + 7)}`
  );
}

/** The counter begins anew, and the time is spelled once for all ids of its millisecond. */
function begin(ms: number): void {
  lastMs = ms;
  counter = 0;
  const digits = ms.toString(16).padStart(12, '0');
  time = `${digits.slice(0, 8)}-${digits.slice(8)}`;
}
