import type { CommandName } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';
import { TokenBuckets } from './token-bucket.js';

/** Commands a second for one person. Honest clients stay far below: what they wait for bounds them. */
const COMMANDS = { perS: 200, burst: 1_000 };
/** Reads of one person that the database sees at once: the others of the person wait, other people do not. */
const READS_AT_ONCE = 3;
const READS_WAITING = 1_000;
/** What one person may be told by reads, in units of 64 KiB: 4 MiB a second, after 4 MiB at once. */
const TOLD_UNIT = 65_536;
const TOLD = { perS: 64, burst: 64 };
/** Who reads more than that is slowed down, and refused only when this is not enough. */
const PATIENCE_MS = 1_000;

const READS: ReadonlySet<CommandName> = new Set<CommandName>([
  'connection-established',
  'booking.join',
  'booking.list',
  'message.list',
  'sync',
]);

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  running: number;
  readonly waiting: Waiting[];
}

/** What one person may ask of the server, over all their sockets. `message.send` has a limit of its own. */
@Injectable()
export class CommandLimit {
  private readonly buckets: TokenBuckets | undefined;
  private readonly lanes = new Map<string, Lane>();
  private readonly told = new TokenBuckets(TOLD.perS, TOLD.burst);

  constructor(@Inject(CHAT_OPTIONS) { messagesPerS = 5 }: ChatOptions) {
    if (messagesPerS > 0) this.buckets = new TokenBuckets(COMMANDS.perS, COMMANDS.burst);
  }

  /** Counts a command, before anything else is done for it; throws `rate_limited`. */
  take(actor: Actor, name: CommandName): void {
    if (!this.buckets || name === 'message.send') return;
    const bucket = this.buckets.of(actor.key);
    if (!bucket.take()) throw new ChatError('rate_limited', { retryAfterMs: bucket.waitMs });
  }

  /** So much was answered to a read. Small answers are bounded by their number. */
  answered(actor: Actor, name: unknown, characters: number): void {
    if (characters >= TOLD_UNIT && isRead(name)) this.told.of(actor.key).owe(characters / TOLD_UNIT);
  }

  /** Does the work of a command; reads of the person take turns. Who has left while waiting is not read for. */
  run<T>(actor: Actor, name: CommandName, isThere: () => boolean, work: () => Promise<T>): Promise<T> {
    return isRead(name) ? this.inTurn(actor, isThere, work) : work();
  }

  private async inTurn<T>(actor: Actor, isThere: () => boolean, work: () => Promise<T>): Promise<T> {
    const key = actor.key;
    const askedAtMs = performance.now();
    const lane: Lane = this.lanes.get(key) ?? { running: 0, waiting: [] };
    this.lanes.set(key, lane);
    const mustWait = lane.running >= READS_AT_ONCE;
    if (!mustWait) lane.running += 1;
    else {
      if (lane.waiting.length >= READS_WAITING) throw new ChatError('rate_limited', { retryAfterMs: 1_000 });
      // Whoever ends hands over their turn: `running` stays as it is.
      await new Promise<void>((resolve, reject) => void lane.waiting.push({ resolve, reject }));
    }
    try {
      const hadToWait = (await this.untilToldLess(key, askedAtMs)) || mustWait;
      if (hadToWait && !isThere()) throw new ChatError('rate_limited', { retryAfterMs: 1_000 });
      return await work();
    } catch (error) {
      // Nobody's patience is spent in a queue behind a store that is away.
      if (error instanceof ChatError && error.code === 'unavailable')
        for (const { reject } of lane.waiting.splice(0)) reject(error);
      throw error;
    } finally {
      const next = lane.waiting.shift();
      if (next) next.resolve();
      else {
        lane.running -= 1;
        if (lane.running === 0) this.lanes.delete(key);
      }
    }
  }

  /** Waits while the person has been told too much; whether that was needed. Throws `rate_limited` when it takes long. */
  private async untilToldLess(key: string, askedAtMs: number): Promise<boolean> {
    const told = this.told.known(key);
    let waited = false;
    while (told?.isOwing()) {
      const retryAfterMs = told.waitMs;
      if (performance.now() - askedAtMs + retryAfterMs > PATIENCE_MS)
        throw new ChatError('rate_limited', { retryAfterMs });
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      waited = true;
    }
    return waited;
  }
}

const isRead = (name: unknown): boolean => READS.has(name as CommandName);
