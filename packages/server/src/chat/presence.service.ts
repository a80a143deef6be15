import type { PresenceObject } from '@curbline/contract';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { personKey, type PersonRef } from '../actor.js';
import { Fanout } from '../fanout/fanout.js';
import { Presence } from '../fanout/presence.js';
import type { BookingRecord, PersonRow } from '../store/booking-row.js';
import { PeopleStore } from '../store/people.store.js';
import { PolicyService } from './policy.service.js';
import { otherScope, participantsOf, personOf, presenceView, type PresenceFacts } from './views.js';

/** Tells the other participants of a person's open bookings who came and who left. */
@Injectable()
export class PresenceService {
  private readonly logger = new Logger(PresenceService.name);
  /** When a person left this node, until the store has it. */
  private readonly left = new Map<string, Date>();

  constructor(
    @Inject(Presence) private readonly presence: Presence,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {
    presence.onChange((person, at) => {
      this.changed(person, at).catch((error: unknown) => {
        this.logger.warn(`presence of a person was not told: ${String(error)}`);
      });
    });
  }

  /** What others may know of a person now. */
  facts(person: PersonRef, row: PersonRow | null): PresenceFacts {
    if (this.presence.isOnline(person)) return { online: true, types: this.presence.types(person) };
    const left = this.left.get(personKey(person));
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

  private async changed(person: PersonRef, at: Date): Promise<void> {
    if (person.scope === 'support') return;
    const { scope, user_id } = person;
    if (!this.presence.isOnline(person)) this.left.set(personKey(person), at);
    const opposites = await this.people.opposites({ scope, user_id });
    // After the query, so that of two changes in a row the last word is the true one.
    const online = this.presence.isOnline(person);
    const now = new Date();
    const facts: PresenceFacts = online
      ? { online, types: this.presence.types(person) }
      : { online, types: [], last_seen_at: at.toISOString() };
    for (const booking of opposites) {
      if (this.policy.chat({ ...booking }, now) !== 'open') continue;
      const listener = { scope: otherScope(scope), user_id: booking.opposite_id };
      this.fanout.toPeople([listener], 'presence.updated', {
        booking_id: booking.id,
        ...presenceView(person, facts),
      });
    }
    if (!online) {
      await this.people.seen(person, at);
      if (this.left.get(personKey(person)) === at) this.left.delete(personKey(person));
    }
  }
}
