import type pg from 'pg';

/** Steps of the golden ratio lie far apart, however many are taken: no two in eight come nearer than a twentieth. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Lets a pool's idle connections end one by one, after `idleMs` to twice that. Eight that a burst opened, and gave back together,
 * would end in one moment: PostgreSQL clears them away for some 60 ms, and on one core a message that comes meanwhile
 * waits for all of them. The pool reads its option each time that a connection is given back.
 */
export function endIdleOneByOne(pool: pg.Pool, idleMs: number): pg.Pool {
  let given = 0;
  return pool.on('release', () => {
    given += 1;
    pool.options.idleTimeoutMillis = Math.round(idleMs * (1 + ((given * GOLDEN) % 1)));
  });
}
