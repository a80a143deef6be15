import type { ChatState, PartyScope } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { CHAT_OPTIONS, type ChatOptions } from '../chat.options.js';
import type { BookingDecision } from '../store/bookings.store.js';
import type { BookingRow } from '../store/booking-row.js';
import { BookingPolicy, DEFAULT_POLICY, type PolicyFacts } from './booking-policy.js';

/** What the policy reads of a booking. */
type PolicyRow = Pick<BookingRow, 'status' | 'driver_no' | 'closes_at' | 'archived_at' | 'active_at'>;

const DAY_MS = 86_400_000;

/** The booking policy with its settings: grace and retention. */
@Injectable()
export class PolicyService {
  readonly policy: BookingPolicy;
  private readonly retentionMs: number;
  private readonly graceMs: number;

  constructor(@Inject(CHAT_OPTIONS) options: ChatOptions) {
    this.policy = new BookingPolicy(options.policy ?? DEFAULT_POLICY);
    this.graceMs = (options.graceS ?? 900) * 1_000;
    this.retentionMs = (options.retentionDays ?? 90) * DAY_MS;
  }

  chatFor(role: PartyScope, booking: PolicyRow, now: Date): ChatState {
    return this.policy.chatFor(role, this.facts(booking), now);
  }

  openUntilMs(role: PartyScope, booking: PolicyRow): number {
    return this.policy.openUntilMs(role, this.facts(booking));
  }

  chat(booking: PolicyRow, now: Date): ChatState {
    return this.policy.chat(this.facts(booking), now);
  }

  /** The words in which somebody may send. */
  get openStatuses(): readonly string[] {
    return this.policy.open;
  }

  /** Throws `invalid` with the known words when the policy does not know this one. */
  requireKnown(status: string): void {
    if (this.policy.knows(status)) return;
    throw ChatError.invalid([
      { path: 'status', message: `unknown status; known: ${this.policy.known.join(', ')}` },
    ]);
  }

  /** Bodies go as soon as their chat has closed. */
  get keepsNothing(): boolean {
    return this.retentionMs === 0;
  }

  /** How long a booking that was never closed is kept after its last use: a short retention must not end a ride. */
  private get unusedMs(): number {
    return Math.max(this.retentionMs, DAY_MS);
  }

  /** What a new status means: when the chat closes, and whether anybody's rights change. */
  decide(current: BookingRow | null, status: string, now: Date): BookingDecision {
    const archivesAt = new Date(now.getTime() + 1);
    const chatAt = (closesAt: Date | null) =>
      this.policy.chat({ status, hasDriver: true, closesAt, archivesAt }, now);
    const kept = current?.closes_at ?? null;
    // What has closed once stays so until it is opened again.
    const unlessClosing = chatAt(null) === 'open' ? null : kept;
    const closesAt = this.policy.isClosing(status)
      ? (kept ?? new Date(now.getTime() + this.graceMs))
      : unlessClosing;
    const rightsChange =
      current !== null &&
      (this.policy.signature(current.status) !== this.policy.signature(status) ||
        current.closes_at?.getTime() !== closesAt?.getTime());
    return { status, closesAt, rightsChange, closes: chatAt(closesAt) !== 'open' };
  }

  /** Before these times the bodies are over: of bookings that closed, and of those that nobody has used since. */
  retainedSince(now: Date): { closed: Date; unused: Date } {
    const since = (periodMs: number) => new Date(now.getTime() - periodMs);
    return { closed: since(this.retentionMs), unused: since(this.unusedMs) };
  }

  private facts(booking: PolicyRow): PolicyFacts {
    const { closes_at, active_at } = booking;
    const endsMs =
      closes_at === null ? active_at.getTime() + this.unusedMs : closes_at.getTime() + this.retentionMs;
    return {
      status: booking.status,
      hasDriver: booking.driver_no !== null,
      closesAt: booking.closes_at,
      archivesAt: booking.archived_at ?? new Date(endsMs),
    };
  }
}
