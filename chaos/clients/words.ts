import type { Random } from '../rig/random.ts';

/** Ends of texts that a careless server would change: composed and decomposed letters, both directions, emoji. */
const ENDS = [
  '',
  'at the gate',
  'Café',
  'Cafe\u0301',
  'मैं दो मिनट में आ रहा हूँ',
  'أنا عند الباب',
  '\u1112\u1161\u11ab\u1100\u1173\u11af',
  '👩🏽‍🦽→🚕',
  'line\nbreak\ttab "quotes" \\ </script>',
  '\u2028\ufeff\u00a0.',
  'A\u030angstro\u0308m',
  'x'.repeat(900),
];

/** A text that is said only once in a run. */
export const words = (name: string, life: number, count: number, random: Random): string =>
  `${name}#${life}.${count} ${random.pick(ENDS)}`.trimEnd();
