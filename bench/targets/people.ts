import { mintToken } from '../load/tokens.ts';
import type { Pair } from '../load/spec.ts';
import { TOKEN_SECRET } from './target.ts';

/** Pair number `i`: its booking and two people who take part in no other. */
function pair(i: number): Pair {
  const seat = (scope: 'driver' | 'customer') => {
    const user_id = `${scope}-${i}`;
    return { user_id, scope, token: mintToken(TOKEN_SECRET, user_id, scope) };
  };
  return { booking_id: `booking-${i}`, driver: seat('driver'), customer: seat('customer') };
}

export function pairs(count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => pair(i + 1));
}
