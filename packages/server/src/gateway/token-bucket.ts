const PRUNE_AT_LEAST = 10_000;

/** So many at once, then so many a second: refilled as time passes, without a timer. */
export class TokenBucket {
  private tokens: number;
  private atMs: number;

  constructor(
    private readonly perS: number,
    private readonly burst: number,
    nowMs: number = performance.now(),
  ) {
    this.tokens = burst;
    this.atMs = nowMs;
  }

  /** Takes one if it is there. */
  take(nowMs: number = performance.now()): boolean {
    this.refill(nowMs);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Takes so many, whether they are there or not: what is owed has to come back first. */
  owe(count: number): void {
    this.tokens -= count;
  }

  /** Whether something is owed still. */
  isOwing(nowMs: number = performance.now()): boolean {
    this.refill(nowMs);
    return this.tokens < 0;
  }

  /** Milliseconds until the next one is there. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(((1 - this.tokens) / this.perS) * 1_000));
  }

  private refill(nowMs: number): void {
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.atMs) / 1_000) * this.perS);
    this.atMs = nowMs;
  }

  /** Whether it has had time to fill again: then it says nothing any more. */
  isFull(nowMs: number): boolean {
    return this.tokens + ((nowMs - this.atMs) / 1_000) * this.perS >= this.burst;
  }
}

/** One bucket for each key. Coming back does not empty it: it is kept until it has filled again. */
export class TokenBuckets {
  private readonly buckets = new Map<string, TokenBucket>();
  private pruneAt = PRUNE_AT_LEAST;

  constructor(
    private readonly perS: number,
    private readonly burst: number,
  ) {}

  of(key: string): TokenBucket {
    const known = this.buckets.get(key);
    if (known) return known;
    if (this.buckets.size >= this.pruneAt) this.prune();
    const bucket = new TokenBucket(this.perS, this.burst);
    this.buckets.set(key, bucket);
    return bucket;
  }

  /** The bucket of a key that has one. */
  known(key: string): TokenBucket | undefined {
    return this.buckets.get(key);
  }

  private prune(): void {
    const nowMs = performance.now();
    for (const [key, bucket] of this.buckets) if (bucket.isFull(nowMs)) this.buckets.delete(key);
    this.pruneAt = Math.max(PRUNE_AT_LEAST, this.buckets.size * 2);
  }
}
