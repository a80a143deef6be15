/** About the last so many are known: those of some ten seconds at full load, of hours on an ordinary day. 1 MiB. */
const PLACES = 2 ** 18;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const OTHER_PRIME = 0x5bd1e995;

/**
 * Which `client_id`s came lately, as fingerprints: nothing is kept that a collector would have to look at. It may take one for another, and
 * forgets: what it says decides how a message is stored, not whether.
 */
export class RecentSends {
  private readonly prints = new Uint32Array(PLACES);

  /** Whether this one probably came before; from now on it has. */
  repeats(clientId: string): boolean {
    let place = FNV_OFFSET;
    let print = 0;
    for (let index = 0; index < clientId.length; index += 1) {
      const code = clientId.charCodeAt(index);
      place = Math.imul(place ^ code, FNV_PRIME);
      print = Math.imul(print ^ code, OTHER_PRIME) + 1;
    }
    // The high bits: of the low ones, the last character alone decides on most.
    const at = (place >>> 14) % PLACES;
    print >>>= 0;
    if (this.prints[at] === print) return true;
    this.prints[at] = print;
    return false;
  }
}
