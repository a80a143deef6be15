import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentSends } from './recent-sends.js';

const ids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 200 });

test('what came a moment ago is a repeat, however many came in between', () => {
  fc.assert(
    fc.property(ids, (all) => {
      const recent = new RecentSends();
      for (const id of all) recent.repeats(id);
      expect(all.filter((id) => !recent.repeats(id)).length).toBeLessThanOrEqual(3);
    }),
  );
});

test.each([
  ['random', () => crypto.randomUUID()],
  ['counted at the end', (n: number) => `5ca1ab1e-0000-4000-8000-${n.toString(16).padStart(12, '0')}`],
  [
    'counted at the beginning',
    (n: number) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
  ],
])(
  'of 100,000 new ones, %s, not one in a thousand is taken for a repeat, and of the last 10,000 nine in ten are known again',
  (_, idOf) => {
    const recent = new RecentSends();
    const all = Array.from({ length: 100_000 }, (__, n) => idOf(n));
    expect(all.filter((id) => recent.repeats(id)).length).toBeLessThan(100);
    expect(all.slice(-10_000).filter((id) => recent.repeats(id)).length).toBeGreaterThan(9_000);
  },
);
