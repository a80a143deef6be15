import type { PartyScope, PresenceObject } from '@curbline/contract';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { personKey, type Actor, type PersonRef } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { Presence } from '../fanout/presence.js';
import type { BookingRecord, PersonRow } from '../store/booking-row.js';
import { PeopleStore, type Opposite, type Sighting } from '../store/people.store.js';
import { PolicyService } from './policy.service.js';
import { otherScope, participantsOf, personOf, presenceView, type PresenceFacts } from './views.js';

/** No answer takes longer. */
const READS_LAST_MS = 3_000;
const AGAIN_MS = 1_000;
/** Presence can wait a moment: under a flood of people, each query serves many. */
const REST_MS = 50;
const MAX_AT_ONCE = 500;

interface Seen {
  readonly person: PersonRef & Partial<Actor>;
  readonly at: Date;
}

/** Somebody came or left. */
interface Change extends Seen {
  /** Of the person, spelled once: a fleet that comes back is looked up by it many times. */
  readonly key: string;
  told?: boolean;
}

/**
 * Tells the other participants of a person's open bookings who came and who left, and keeps when. Many changes are worked
 * on at once: five thousand phones that come back together cost a few dozen queries.
 */
@Injectable()
export class PresenceService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(PresenceService.name);
  /** The last change of each person, until it is told and stored. */
  private readonly changes = new Map<string, Change>();
  /** By person: however often somebody comes and goes while the store is slow, the last change tells. */
  private readonly waiting = new Map<string, Change>();
  private running = false;
  /** Those that the store was away for. */
  private readonly failed = new Set<Change>();
  private again: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    @Inject(Presence) private readonly presence: Presence,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {
    presence.onChange((person, at) => this.changed({ key: person.key ?? personKey(person), person, at }));
  }

  /** The sockets that end with the process tell nobody: that their people were here is written before. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.again);
    const now = new Date();
    const left = [...this.changes.values()].filter(({ person }) => !this.presence.isOnline(person));
    const here = this.presence.everybody.map((person) => ({ person, at: now }));
    const written = await Promise.allSettled(
      SCOPES.map((scope) => this.people.seen(scope, sightings(scope, [...left, ...here]))),
    );
    if (written.some(({ status }) => status === 'rejected'))
      this.logger.warn('when people were last seen could not be written');
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

  private changed(change: Change): void {
    if (change.person.scope === 'support') return;
    this.changes.set(change.key, change);
    this.waiting.set(change.key, change);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    // What one turn of the event loop brought in travels together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.size > 0) {
      const batch: Change[] = [];
      for (const [key, change] of this.waiting) {
        if (batch.length >= MAX_AT_ONCE) break;
        batch.push(change);
        this.waiting.delete(key);
      }
      await Promise.all(SCOPES.map((scope) => this.settle(scope, ofScope(scope, batch))));
      await new Promise((resolve) => setTimeout(resolve, REST_MS).unref());
    }
    this.running = false;
  }

  private async settle(scope: PartyScope, batch: readonly Change[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.tellAndKeep(scope, batch);
    } catch (error) {
      if (error instanceof ChatError && error.code === 'unavailable') {
        this.tryAgain(batch);
        return;
      }
      this.logger.warn(`presence of ${batch.length} people was not told: ${String(error)}`);
    }
    const left = batch.filter(({ person }) => !this.presence.isOnline(person));
    this.forget(batch.filter(({ person }) => this.presence.isOnline(person)));
    // Who has read their row before it was written, and answers after it, must not show an older time.
    if (left.length > 0) setTimeout(() => this.forget(left), READS_LAST_MS).unref();
  }

  private forget(batch: readonly Change[]): void {
    for (const change of batch) if (this.isLast(change)) this.changes.delete(change.key);
  }

  private isLast(change: Change): boolean {
    return this.changes.get(change.key) === change;
  }

  /** Every second, until it is told and stored or somebody's next change stands for it. */
  private tryAgain(batch: readonly Change[]): void {
    for (const change of batch) if (this.isLast(change)) this.failed.add(change);
    if (this.stopping || this.again || this.failed.size === 0) return;
    this.logger.warn('presence is told again in a second: the store is away');
    this.again = setTimeout(() => {
      this.again = undefined;
      const all = [...this.failed];
      this.failed.clear();
      for (const one of all) if (this.isLast(one)) this.changed(one);
    }, AGAIN_MS).unref();
  }

  private async tellAndKeep(scope: PartyScope, batch: readonly Change[]): Promise<void> {
    const untold = batch.filter(({ told }) => told !== true);
    if (untold.length > 0) {
      const people = untold.map(({ person }) => person);
      const found = await this.people.opposites(scope, people, this.policy.openStatuses);
      for (const [index, change] of untold.entries()) {
        this.tell(scope, change, found[index] ?? []);
        change.told = true;
      }
    }
    // When they came, too: a process that is killed has no time to write when they left.
    await this.people.seen(scope, sightings(scope, batch));
  }

  private tell(scope: PartyScope, { person, at }: Change, opposites: readonly Opposite[]): void {
    if (opposites.length === 0) return;
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
  }
}

const SCOPES: readonly PartyScope[] = ['driver', 'customer'];

const ofScope = <C extends Seen>(scope: PartyScope, changes: readonly C[]): C[] =>
  changes.filter(({ person }) => person.scope === scope);

const sightings = (scope: PartyScope, changes: readonly Seen[]): Sighting[] =>
  ofScope(scope, changes).map(({ person: { user_id, name }, at }) => ({ user_id, at, name }));
