const EVERY_MS = 20;

/** Asks until the answer is true; fails with the last answer or error when it takes too long. */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  let last: unknown = false;
  while (performance.now() < deadline) {
    try {
      last = await fact();
      if (last === true) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  throw new Error(`${what}: not within ${limitMs} ms; last: ${String(last)}`);
}
