import type { ErrorCode, LocationObject, PartyScope, Payload, Result } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { ChatError } from '../chat-error.js';
import { ErrorReport } from '../ops/error-report.js';
import { BookingsStore } from '../store/bookings.store.js';
import type { BookingRecord } from '../store/booking-row.js';
import { messageOf } from '../store/message-row.js';
import { MessagesStore } from '../store/messages.store.js';
import { scopeOf } from '../store/codes.js';
import { AccessService } from './access.service.js';
import { BookingCache } from './booking-cache.js';
import { Printed } from '../printed.js';
import { cursorNo, cursorOf } from './bookings.service.js';
import { MessagesService } from './messages.service.js';
import { PolicyService } from './policy.service.js';
import { PresenceService } from './presence.service.js';
import { withMessages, type PrintedPage } from './printed-page.js';
import { SignalsService } from './signals.service.js';
import { closing, otherScope, personOf, receiptList, receiptsOf, sendersOf, userDetail } from './views.js';

type Entry = Result<'booking.list'>['bookings'][number];
type Synced = Result<'sync'>['bookings'][number];
type SyncedPage = Extract<Synced, { messages: unknown }>;
type SyncedError = Exclude<Synced, SyncedPage>;

const SYNC_PAGE = 200;
/** What one answer carries, about, in characters: fifty full pages of long messages would stop the server for it. */
const SYNC_ROOM = 2_000_000;
const SYNCED_AT_ONCE = 3;
const OF_ONE_BOOKING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['not_found', 'forbidden', 'chat_closed']);

/** A person's own bookings: the list, and what they missed. */
@Injectable()
export class MyBookingsService {
  constructor(
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(BookingsStore) private readonly bookings: BookingsStore,
    @Inject(MessagesStore) private readonly log: MessagesStore,
    @Inject(SignalsService) private readonly signals: SignalsService,
    @Inject(MessagesService) private readonly messages: MessagesService,
    @Inject(BookingCache) private readonly cache: BookingCache,
    @Inject(PolicyService) private readonly policy: PolicyService,
    @Inject(PresenceService) private readonly presence: PresenceService,
    @Inject(ErrorReport) private readonly report: ErrorReport,
  ) {}

  /** The bookings in which the caller sits now, newest first. */
  async list(actor: Actor, query: Payload<'booking.list'>): Promise<Result<'booking.list'>> {
    const { scope, user_id } = actor;
    if (scope === 'support') throw new ChatError('forbidden');
    const found: BookingRecord[] = [];
    let beforeNo = query.cursor === undefined ? undefined : cursorNo(query.cursor);
    const now = new Date();
    // Filtered pages are filled up: a short page never means that there is no more.
    for (;;) {
      const records = await this.bookings.pageOf({ scope, user_id }, { beforeNo, limit: query.limit + 1 });
      found.push(
        ...records.filter((record) => {
          const wanted = !query.open_only || this.policy.chatFor(scope, record, now) === 'open';
          return wanted && personOf(record, otherScope(scope)) !== null;
        }),
      );
      beforeNo = records.at(-1)?.no;
      if (found.length > query.limit || records.length <= query.limit || beforeNo === undefined) break;
    }
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      bookings: await Promise.all(page.map((record) => this.entry(record, scope, now))),
      next_cursor: found.length > query.limit && last ? cursorOf(last.no) : null,
    };
  }

  /**
   * After a reconnect, in one round trip: what was missed in each booking. One without a seat answers for itself.
   * When the answer is full, `has_more` says where the rest is; the first booking that missed something always gets on.
   */
  async sync(actor: Actor, { bookings }: Payload<'sync'>): Promise<Printed<Result<'sync'>>> {
    if (actor.scope === 'support') throw new ChatError('forbidden');
    // Added one by one, as in `withMessages`.
    let answered = '';
    let room = SYNC_ROOM;
    for (let from = 0; from < bookings.length; from += SYNCED_AT_ONCE) {
      const limit = room > 0 ? SYNC_PAGE : 1;
      const some = bookings.slice(from, from + SYNCED_AT_ONCE);
      for (const entry of await Promise.all(some.map((wanted) => this.synced(actor, wanted, limit)))) {
        if (answered !== '') answered += ',';
        if ('error' in entry) answered += JSON.stringify(entry);
        else {
          const { messages, ...rest } = entry;
          const [kept, taken] = clipped(messages, room);
          room -= taken;
          rest.has_more ||= kept.length < messages.length;
          answered += withMessages<SyncedPage>(rest, kept).json;
        }
      }
    }
    return new Printed(`{"bookings":[${answered}]}`);
  }

  private async synced(
    actor: Actor,
    wanted: { booking_id: string; after_seq: number },
    limit: number,
  ): Promise<SyncedError | (Omit<SyncedPage, 'messages'> & Pick<PrintedPage, 'messages'>)> {
    const { booking_id, after_seq } = wanted;
    try {
      const seat = await this.access.require(actor, booking_id, 'read');
      // Receipts must be those of now, and this node may not have seen the last marks.
      const record = (await this.cache.reload(booking_id))?.record ?? seat.booking;
      const current = await this.access.require(actor, booking_id, 'read');
      const [page, locations] = await Promise.all([
        this.messages.page(actor, current, { after_seq, limit }),
        this.signals.positions(record),
      ]);
      return {
        booking_id,
        ...page,
        status: record.status,
        chat: this.policy.chatFor(current.scope, record, new Date()),
        ...closing(record),
        receipts: receiptList(record),
        presence: this.presence.of(record),
        locations: locations.map((row) => locationOf(record, row)),
      };
    } catch (error) {
      // What is wrong with this booking is its entry; a store that is away fails them all, and the command with them.
      if (!(error instanceof ChatError) || !OF_ONE_BOOKING.has(error.code)) throw error;
      return { booking_id, error: { ...this.report.describe(error, 'sync') } };
    }
  }

  private async entry(record: BookingRecord, scope: PartyScope, now: Date): Promise<Entry> {
    const seat = record.seats.find((row) => row.to_seq === null && scopeOf(row.scope) === scope);
    const role = otherScope(scope);
    const other = personOf(record, role);
    if (!seat || !other) throw new Error('a listed booking has the caller and a counterpart');
    const chat = this.policy.chatFor(scope, record, now);
    const unreadOf = { person_no: seat.person_no, from_seq: seat.from_seq, ...receiptsOf(record, scope) };
    // In a closed chat nothing can be read any more, so nothing is unread either.
    const [page, unread] =
      chat === 'closed'
        ? [undefined, 0]
        : await Promise.all([
            this.log.history(record.no, seat.from_seq, { limit: 1 }),
            this.log.unread(record.no, unreadOf),
          ]);
    const last = page?.rows[0];
    const { online } = this.presence.facts({ scope: role, user_id: other.id }, other);
    return {
      booking_id: record.id,
      status: record.status,
      chat,
      counterpart: { ...userDetail(other, role), online },
      last_message: last ? messageOf(last, record.id, sendersOf(record)) : null,
      unread,
    };
  }
}

/** The messages that there is room for, at least one while there is any; and how much they take. */
function clipped(messages: readonly string[], room: number): [readonly string[], number] {
  let taken = 0;
  const end = messages.findIndex((message) => {
    if (taken >= room) return true;
    taken += message.length;
    return false;
  });
  return [end < 0 ? messages : messages.slice(0, end), taken];
}

function locationOf(
  record: BookingRecord,
  row: { person_no: number; position: Record<string, number>; at: Date },
): LocationObject {
  const sender = sendersOf(record)(row.person_no);
  const { lat = 0, lng = 0, ...rest } = row.position;
  return {
    user_id: sender.user_id,
    scope: sender.scope as 'driver' | 'customer',
    lat,
    lng,
    ...rest,
    at: row.at.toISOString(),
  };
}
