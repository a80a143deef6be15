const SECOND_MS = 1_000;
/** Four digits of a year, and no sign. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

let secondMs = Number.NaN;
let second = '';
let lastMs = Number.NaN;
let lastText = '';

/** ISO 8601 in UTC with milliseconds, as `toISOString`. Rows of one batch share their time, and those of one second all of it but three digits. */
export function isoTime(at: Date): string {
  const ms = at.getTime();
  if (ms !== lastMs) {
    lastText = spelled(at, ms);
    lastMs = ms;
  }
  return lastText;
}

function spelled(at: Date, ms: number): string {
  if (!(ms >= 0 && ms <= LAST_MS)) return at.toISOString();
  const within = ms % SECOND_MS;
  if (ms - within !== secondMs) {
    secondMs = ms - within;
    second = at.toISOString().slice(0, -'000Z'.length);
  }
  return `${second}${within < 10 ? '00' : within < 100 ? '0' : ''}${within}Z`;
}
