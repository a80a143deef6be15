import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH = dirname(dirname(fileURLToPath(import.meta.url)));
export const ROOT = dirname(BENCH);
/** Results and logs; not committed. */
export const OUT = join(BENCH, '.out');
mkdirSync(OUT, { recursive: true });
