import type { PartyScope, PresenceObject } from '@curbline/contract';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { personKey, type PersonRef } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { Presence } from '../fanout/presence.js';
import type { BookingRecord, PersonRow } from '../store/booking-row.js';
import { PeopleStore } from '../store/people.store.js';
import { PolicyService } from './policy.service.js';
import { otherScope, participantsOf, personOf, presenceView, type PresenceFacts } from './views.js';

/** No answer takes longer. */
const READS_LAST_MS = 3_000;
const AGAIN_MS = 1_000;

/** Somebody came or left. */
interface Change {
  readonly person: PersonRef & { readonly name?: string };
  readonly at: Date;
  told?: boolean;
}

/** Tells the other participants of a person's open bookings who came and who left, and keeps when. */
@Injectable()
export class PresenceService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(PresenceService.name);
  /** The last change of each person, until it is told and stored. */
  private readonly changes = new Map<string, Change>();
  /** Those of them that the store was away for. */
  private readonly failed = new Set<Change>();
  private again: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    @Inject(Presence) private readonly presence: Presence,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {
    presence.onChange((person, at) => void this.settle({ person, at }));
  }

  /** The sockets that end with the process tell nobody: that their people were here is written before. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.again);
    const now = new Date();
    const left = [...this.changes.values()].filter(({ person }) => !this.presence.isOnline(person));
    const here = this.presence.everybody.map((person) => ({ person, at: now }));
    const written = await Promise.allSettled(
      [...left, ...here].map(({ person, at }) => this.people.seen(person, at)),
    );
    const lost = written.filter(({ status }) => status === 'rejected').length;
    if (lost > 0) this.logger.warn(`when ${lost} people were last seen could not be written`);
  }

  /** What others may know of a person now. */
  facts(person: PersonRef, row: PersonRow | null): PresenceFacts {
    if (this.presence.isOnline(person)) return { online: true, types: this.presence.types(person) };
    const left = this.changes.get(personKey(person))?.at;
    const kept = row?.last_seen_at == null ? undefined : new Date(row.last_seen_at);
    const seen = left && (!kept || left > kept) ? left : kept;
    return { online: false, types: [], ...(seen && { last_seen_at: seen.toISOString() }) };
  }

  /** Presence of everybody who sits in the booking. */
  of(record: BookingRecord): PresenceObject[] {
    return participantsOf(record).flatMap((person) =>
      person.scope === 'support'
        ? []
        : [presenceView(person, this.facts(person, personOf(record, person.scope)))],
    );
  }

  private async settle(change: Change): Promise<void> {
    const key = personKey(change.person);
    this.changes.set(key, change);
    try {
      await this.tellAndKeep(change);
    } catch (error) {
      if (this.changes.get(key) === change && error instanceof ChatError && error.code === 'unavailable') {
        this.tryAgain(change);
        return;
      }
      this.logger.warn(`presence of a person was not told: ${String(error)}`);
    }
    const forget = () => {
      if (this.changes.get(key) === change) this.changes.delete(key);
    };
    // Who has read their row before it was written, and answers after it, must not show an older time.
    if (this.presence.isOnline(change.person)) forget();
    else setTimeout(forget, READS_LAST_MS).unref();
  }

  /** Every second, until it is told and stored or somebody's next change stands for it. */
  private tryAgain(change: Change): void {
    this.failed.add(change);
    if (this.stopping || this.again) return;
    this.logger.warn('presence is told again in a second: the store is away');
    this.again = setTimeout(() => {
      this.again = undefined;
      const all = [...this.failed];
      this.failed.clear();
      for (const one of all) if (this.changes.get(personKey(one.person)) === one) void this.settle(one);
    }, AGAIN_MS).unref();
  }

  private async tellAndKeep(change: Change): Promise<void> {
    const { person, at } = change;
    if (person.scope === 'support') return;
    if (!change.told) await this.tell({ scope: person.scope, user_id: person.user_id }, at);
    change.told = true;
    // When they came, too: a process that is killed has no time to write when they left.
    await this.people.seen(person, at);
  }

  private async tell(person: { scope: PartyScope; user_id: string }, at: Date): Promise<void> {
    const opposites = await this.people.opposites(person, this.policy.openStatuses);
    // After the query, so that of two changes in a row the last word is the true one.
    const online = this.presence.isOnline(person);
    const now = new Date();
    const facts: PresenceFacts = online
      ? { online, types: this.presence.types(person) }
      : { online, types: [], last_seen_at: at.toISOString() };
    for (const booking of opposites) {
      if (this.policy.chat({ ...booking }, now) !== 'open') continue;
      const listener = { scope: otherScope(person.scope), user_id: booking.opposite_id };
      this.fanout.toPeople([listener], 'presence.updated', {
        booking_id: booking.id,
        ...presenceView(person, facts),
      });
    }
  }
}
