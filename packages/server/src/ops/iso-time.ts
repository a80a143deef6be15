let lastMs = Number.NaN;
let lastText = '';

/** ISO 8601 in UTC with milliseconds. Rows of one batch share their time: it is spelled once. */
export function isoTime(at: Date): string {
  const ms = at.getTime();
  if (ms !== lastMs) {
    lastText = at.toISOString();
    lastMs = ms;
  }
  return lastText;
}
