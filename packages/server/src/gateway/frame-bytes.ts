/** Takes the mask (RFC 6455, 5.3) from the bytes between two places, where they lie; once more, and it is back. */
export function unmask(chunk: Buffer, mask: number, start: number, end: number): void {
  const a = chunk[mask] ?? 0;
  const b = chunk[mask + 1] ?? 0;
  const c = chunk[mask + 2] ?? 0;
  const d = chunk[mask + 3] ?? 0;
  let at = start;
  for (; at + 3 < end; at += 4) {
    chunk[at] = (chunk[at] ?? 0) ^ a;
    chunk[at + 1] = (chunk[at + 1] ?? 0) ^ b;
    chunk[at + 2] = (chunk[at + 2] ?? 0) ^ c;
    chunk[at + 3] = (chunk[at + 3] ?? 0) ^ d;
  }
  if (at < end) chunk[at] = (chunk[at] ?? 0) ^ a;
  if (at + 1 < end) chunk[at + 1] = (chunk[at + 1] ?? 0) ^ b;
  if (at + 2 < end) chunk[at + 2] = (chunk[at + 2] ?? 0) ^ c;
}

export const bytesOf = (data: ArrayBuffer | NodeJS.ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
