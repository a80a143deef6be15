/** Half to one and a half of it, so that many clients do not come back at once. */
export const jittered = (ms: number): number => ms * (0.5 + Math.random());

/** Resolves after so many milliseconds. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Milliseconds on a clock that nobody sets back, where there is one. For durations only. */
export const now = (): number => (globalThis.performance ?? Date).now();
