import { LIMITS, type Payload, type Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor, PersonRef } from '../actor.js';
import { Fanout } from '../fanout/fanout.js';
import { LocationsStore } from '../store/locations.store.js';
import { AccessService } from './access.service.js';
import type { Seat } from './seat.js';
import { counterpartOf } from './views.js';

interface Typing {
  on: boolean;
  toldAtMs: number;
  expires?: NodeJS.Timeout | undefined;
}

interface Sharing {
  toldAtMs: number;
  pending?: (() => Promise<void>) | undefined;
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

  /** Told at most once in two seconds, and taken back by itself after six. */
  async setTyping(actor: Actor, signal: Payload<'typing.set'>): Promise<Result<'typing.set'>> {
    const seat = await this.access.require(actor, signal.booking_id, 'signal');
    const key = `${seat.row.no}`;
    const state: Typing = this.typing.get(key) ?? { on: false, toldAtMs: Number.NEGATIVE_INFINITY };
    clearTimeout(state.expires);
    if (!signal.typing) {
      this.typing.delete(key);
      if (state.on) this.tellTyping(seat, actor, false);
      return {};
    }
    const now = performance.now();
    if (now - state.toldAtMs >= LIMITS.typingEveryMs) {
      state.toldAtMs = now;
      state.on = true;
      this.tellTyping(seat, actor, true);
    }
    state.expires = setTimeout(() => {
      this.typing.delete(key);
      void this.typingExpired(seat, actor);
    }, LIMITS.typingExpiresMs).unref();
    this.typing.set(key, state);
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
    const state: Sharing = this.sharing.get(key) ?? { toldAtMs: Number.NEGATIVE_INFINITY };
    this.sharing.set(key, state);
    if (state.timer) {
      state.pending = share;
      return {};
    }
    state.toldAtMs = performance.now();
    state.timer = setTimeout(() => this.nextLocation(key, state), LIMITS.locationEveryMs).unref();
    await share();
    return {};
  }

  /** No timer of this stays behind. */
  stop(): void {
    for (const state of this.typing.values()) clearTimeout(state.expires);
    for (const state of this.sharing.values()) clearTimeout(state.timer);
  }

  private nextLocation(key: string, state: Sharing): void {
    const { pending } = state;
    state.pending = undefined;
    state.timer = undefined;
    if (!pending) {
      this.sharing.delete(key);
      return;
    }
    state.timer = setTimeout(() => this.nextLocation(key, state), LIMITS.locationEveryMs).unref();
    // The position that stood for this one was answered; a store that is away loses no promise here.
    pending().catch(() => undefined);
  }

  private async tellLocation(
    seat: Seat,
    actor: PersonRef,
    position: Omit<Payload<'location.share'>, 'booking_id'>,
    at: Date,
  ): Promise<void> {
    const kept = Object.fromEntries(
      Object.entries(position).filter((entry): entry is [string, number] => entry[1] !== undefined),
    );
    await this.locations.keep(seat.booking.no, seat.row.person_no, kept, at);
    const other = counterpartOf(this.access.bookingNow(seat), seat.scope);
    if (!other) return;
    this.fanout.toPeople([other], 'location.updated', {
      booking_id: seat.booking.id,
      user_id: actor.user_id,
      scope: seat.scope,
      ...position,
      at: at.toISOString(),
    });
  }

  private async typingExpired(seat: Seat, actor: PersonRef): Promise<void> {
    // The clients end it by themselves after the same time: a store that is away changes nothing.
    const latest = await this.access.latest(seat).catch(() => undefined);
    if (latest) this.tellTyping(latest, actor, false);
  }

  private tellTyping(seat: Seat, actor: PersonRef, typing: boolean): void {
    const other = counterpartOf(seat.booking, seat.scope);
    if (!other) return;
    const event = { booking_id: seat.booking.id, user_id: actor.user_id, scope: seat.scope, typing };
    this.fanout.toPeople([other], 'typing.updated', event);
  }
}
