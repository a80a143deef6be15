import { Inject, Injectable } from '@nestjs/common';
import { personKey, type PersonRef } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';

interface Bucket {
  tokens: number;
  atMs: number;
}

const PRUNE_AT_LEAST = 10_000;

/** Messages a second for one person: a token bucket, refilled as time passes, without a timer. Repeats count too. */
@Injectable()
export class SendLimit {
  private readonly buckets = new Map<string, Bucket>();
  private pruneAt = PRUNE_AT_LEAST;
  private readonly perS: number;
  private readonly burst: number;

  constructor(@Inject(CHAT_OPTIONS) options: ChatOptions) {
    this.perS = options.messagesPerS ?? 5;
    this.burst = options.messagesBurst ?? 20;
  }

  /** Takes one; throws `rate_limited` with the time until the next one is there. */
  take(person: PersonRef, nowMs: number = performance.now()): void {
    if (this.perS === 0) return;
    const key = personKey(person);
    const bucket = this.buckets.get(key) ?? { tokens: this.burst, atMs: nowMs };
    bucket.tokens = Math.min(this.burst, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * this.perS);
    bucket.atMs = nowMs;
    if (!this.buckets.has(key)) this.add(key, bucket, nowMs);
    if (bucket.tokens < 1) {
      throw new ChatError('rate_limited', {
        retryAfterMs: Math.ceil(((1 - bucket.tokens) / this.perS) * 1_000),
      });
    }
    bucket.tokens -= 1;
  }

  /** A bucket that has had time to fill again says nothing: it is dropped when there are many. */
  private add(key: string, bucket: Bucket, nowMs: number): void {
    if (this.buckets.size >= this.pruneAt) {
      const fullAfterMs = (this.burst / this.perS) * 1_000;
      for (const [known, { atMs }] of this.buckets)
        if (nowMs - atMs > fullAfterMs) this.buckets.delete(known);
      this.pruneAt = Math.max(PRUNE_AT_LEAST, this.buckets.size * 2);
    }
    this.buckets.set(key, bucket);
  }
}
