import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHAOS = dirname(dirname(fileURLToPath(import.meta.url)));
export const ROOT = dirname(CHAOS);
/** Records, logs and data folders of the runs; not committed. */
export const OUT = join(CHAOS, '.out');
export const SERVER = join(ROOT, 'apps/standalone/dist/main.js');
export const PLANT = join(CHAOS, 'bugs/plant.ts');
export const CLIENTS = join(CHAOS, 'clients/main.ts');
export const CHECKER = join(CHAOS, 'check.py');
