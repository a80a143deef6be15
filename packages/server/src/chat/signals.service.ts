import { LIMITS, type Payload, type Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor, PersonRef } from '../actor.js';
import { Fanout } from '../fanout/fanout.js';
import { LocationsStore, type LocationRow } from '../store/locations.store.js';
import type { BookingRecord } from '../store/booking-row.js';
import { AccessService } from './access.service.js';
import type { Seat } from './seat.js';
import { counterpartOf, participantsOf } from './views.js';

interface Typing {
  /** The others were told that the person types. */
  on: boolean;
  toldAtMs: number;
  /** What happens by itself next: the end of typing, or of the time in which nothing more is told. */
  timer?: NodeJS.Timeout | undefined;
}

type Place = Omit<Payload<'location.share'>, 'booking_id'>;

interface Sharing {
  /** The newest position on its way to the store. */
  sharing: Promise<void>;
  pending?: (() => Promise<void>) | undefined;
  /** Answered already, and not in the store yet. */
  newest?: { readonly position: Record<string, number>; readonly at: Date } | undefined;
  timer?: NodeJS.Timeout | undefined;
}

/** What passes and is not in the log: typing and live location. */
@Injectable()
export class SignalsService {
  private readonly typing = new Map<string, Typing>();
  private readonly sharing = new Map<string, Sharing>();

  constructor(
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(LocationsStore) private readonly locations: LocationsStore,
    @Inject(Fanout) private readonly fanout: Fanout,
  ) {}

  /** Told at most once in two seconds, however often it is taken back, and taken back by itself after six. */
  async setTyping(actor: Actor, signal: Payload<'typing.set'>): Promise<Result<'typing.set'>> {
    const seat = await this.access.require(actor, signal.booking_id, 'signal');
    const key = `${seat.row.no}`;
    const state: Typing = this.typing.get(key) ?? { on: false, toldAtMs: Number.NEGATIVE_INFINITY };
    this.typing.set(key, state);
    clearTimeout(state.timer);
    const waitMs = Math.max(0, state.toldAtMs + LIMITS.typingEveryMs - performance.now());
    if (!signal.typing) {
      if (state.on) this.tellTyping(seat, actor, false);
      state.on = false;
      state.timer = setTimeout(() => this.typing.delete(key), waitMs).unref();
    } else if (waitMs > 0 && !state.on) {
      state.timer = setTimeout(() => void this.typesStill(state, seat, actor), waitMs).unref();
    } else {
      if (waitMs === 0) this.startTyping(state, seat, actor);
      this.endTypingLater(state, seat, actor);
    }
    return {};
  }

  /** Told and kept at most once a second; of what comes in between, the last one wins. */
  async shareLocation(actor: Actor, command: Payload<'location.share'>): Promise<Result<'location.share'>> {
    const seat = await this.access.require(actor, command.booking_id, 'signal');
    const { booking_id: _, ...position } = command;
    const at = new Date();
    const share = async () => {
      const latest = await this.access.latest(seat);
      // It may have waited for its turn while the chat closed.
      if (latest && !this.access.denial(latest, 'signal'))
        await this.tellLocation(latest, actor, position, at);
    };
    const key = `${seat.row.no}`;
    const known = this.sharing.get(key);
    if (known) {
      known.pending = share;
      // Answered like the position that stands for it: a store that is away is no success.
      await known.sharing;
      known.newest = { position: keptOf(position), at };
      return {};
    }
    const state: Sharing = { sharing: Promise.resolve() };
    this.sharing.set(key, state);
    await this.share(key, state, share);
    return {};
  }

  /** The last known positions of the people who sit in a booking, with what waits here for its second. */
  async positions(record: BookingRecord): Promise<LocationRow[]> {
    const rows = await this.locations.of(record.no);
    return rows.map((row) => {
      const seat = record.seats.find(
        ({ person_no, to_seq }) => person_no === row.person_no && to_seq === null,
      );
      const newest = seat && this.sharing.get(`${seat.no}`)?.newest;
      return newest && newest.at > row.at ? { ...row, ...newest } : row;
    });
  }

  /** No timer of this stays behind. */
  stop(): void {
    for (const state of this.typing.values()) clearTimeout(state.timer);
    for (const state of this.sharing.values()) clearTimeout(state.timer);
  }

  /** One position now, the newest of those that come meanwhile in a second. After a failure the next one is tried at once. */
  private async share(key: string, state: Sharing, share: () => Promise<void>): Promise<void> {
    state.timer = setTimeout(() => this.nextLocation(key, state), LIMITS.locationEveryMs).unref();
    const sharing = share();
    state.sharing = sharing;
    try {
      await sharing;
    } catch (error) {
      if (state.sharing === sharing) {
        clearTimeout(state.timer);
        this.sharing.delete(key);
      }
      throw error;
    }
  }

  private nextLocation(key: string, state: Sharing): void {
    const { pending } = state;
    state.pending = undefined;
    if (!pending) {
      this.sharing.delete(key);
      return;
    }
    // The position that stood for this one was answered; a store that is away loses no promise here.
    this.share(key, state, pending).catch(() => undefined);
  }

  private async tellLocation(seat: Seat, actor: Actor, position: Place, at: Date): Promise<void> {
    await this.locations.keep(seat.booking.no, seat.row.person_no, keptOf(position), at);
    const booking = this.access.bookingNow(seat);
    const event = {
      booking_id: booking.id,
      user_id: actor.user_id,
      scope: seat.scope,
      ...position,
      at: at.toISOString(),
    };
    this.fanout.toPeople(participantsOf(booking), 'location.updated', event, actor.socketId);
  }

  private startTyping(state: Typing, seat: Seat, actor: PersonRef): void {
    state.on = true;
    state.toldAtMs = performance.now();
    this.tellTyping(seat, actor, true);
  }

  private endTypingLater(state: Typing, seat: Seat, actor: PersonRef): void {
    state.timer = setTimeout(() => {
      this.typing.delete(`${seat.row.no}`);
      void this.typingExpired(seat, actor);
    }, LIMITS.typingExpiresMs).unref();
  }

  /** Taken back and begun again within two seconds: told at their end, unless it was taken back once more. */
  private async typesStill(state: Typing, seat: Seat, actor: PersonRef): Promise<void> {
    const { timer } = state;
    const latest = await this.access.latest(seat).catch(() => undefined);
    if (state.timer !== timer) return;
    if (!latest || this.access.denial(latest, 'signal')) {
      this.typing.delete(`${seat.row.no}`);
      return;
    }
    this.startTyping(state, latest, actor);
    this.endTypingLater(state, latest, actor);
  }

  private async typingExpired(seat: Seat, actor: PersonRef): Promise<void> {
    // The clients end it by themselves after the same time: a store that is away changes nothing.
    const latest = await this.access.latest(seat).catch(() => undefined);
    if (latest) return this.tellTyping(latest, actor, false);
    // The seat is gone: whoever was told still sits on the other side, or hears nothing of this booking any more.
    const other = counterpartOf(seat.booking, seat.scope);
    const now = counterpartOf(this.access.bookingNow(seat), seat.scope);
    if (other?.user_id === now?.user_id) this.tellTyping(seat, actor, false);
  }

  private tellTyping(seat: Seat, actor: PersonRef, typing: boolean): void {
    const other = counterpartOf(seat.booking, seat.scope);
    if (!other) return;
    const event = { booking_id: seat.booking.id, user_id: actor.user_id, scope: seat.scope, typing };
    this.fanout.toPeople([other], 'typing.updated', event);
  }
}

/** What of a position is there. */
const keptOf = (place: Place): Record<string, number> =>
  Object.fromEntries(
    Object.entries(place).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
