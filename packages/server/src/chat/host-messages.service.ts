import {
  HOST_SENDER,
  type MessageObject,
  type RouteBody,
  type RouteQuery,
  type RouteResult,
} from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { Fanout } from '../fanout/fanout.js';
import { uuidV7 } from '../ops/uuid-v7.js';
import { kindCode, scopeCode } from '../store/codes.js';
import { IdempotencyStore } from '../store/idempotency.store.js';
import { messageOf } from '../store/message-row.js';
import { MessagesStore } from '../store/messages.store.js';
import { BookingCache } from './booking-cache.js';
import { CannedMessages } from './canned-catalogue.js';
import { readersOf, sendersOf } from './views.js';

const HOST_NO = 0;

/** What the host reads and writes in a booking's log: it needs no seat, but the bodies must still be kept. */
@Injectable()
export class HostMessagesService {
  constructor(
    @Inject(BookingCache) private readonly cache: BookingCache,
    @Inject(MessagesStore) private readonly store: MessagesStore,
    @Inject(IdempotencyStore) private readonly keys: IdempotencyStore,
    @Inject(Fanout) private readonly fanout: Fanout,
    @Inject(CannedMessages) private readonly canned: CannedMessages,
  ) {}

  /** The whole thread, page by page. */
  async history(
    bookingId: string,
    range: RouteQuery<'GET /v1/bookings/{booking_id}/messages'>,
  ): Promise<RouteResult<'GET /v1/bookings/{booking_id}/messages'>> {
    const cached = await this.cache.get(bookingId);
    if (!cached) throw new ChatError('not_found');
    const { record } = cached;
    const page = await this.store.history(record.no, 1, range);
    const senders = sendersOf(
      page.epoch === record.epoch ? record : ((await this.cache.reload(bookingId)) ?? cached).record,
    );
    const data = page.rows.map((row) => messageOf(row, bookingId, senders));
    const forward = range.after_seq !== undefined;
    const edge = forward ? data.at(-1) : data[0];
    return {
      data,
      next_cursor: page.hasMore && edge ? String(edge.seq) : null,
      last_seq: page.lastSeq,
      has_more: page.hasMore,
    };
  }

  /** A `system` or `canned` message from the host; one key makes one message. */
  async send(
    bookingId: string,
    input: RouteBody<'POST /v1/bookings/{booking_id}/messages'>,
    idempotencyKey: string | undefined,
  ): Promise<{ message: MessageObject; duplicate: boolean }> {
    const cached = await this.cache.get(bookingId);
    if (!cached) throw new ChatError('not_found');
    const { record } = cached;
    if (record.archived_at !== null) {
      throw new ChatError('chat_closed', {
        details: { status: record.status, chat: 'closed', closed_at: record.archived_at.toISOString() },
      });
    }
    const body = JSON.stringify(input.kind === 'canned' ? this.canned.checked(input.body) : input.body);
    const offered = uuidV7();
    const clientId =
      idempotencyKey === undefined
        ? offered
        : await this.keys.clientIdFor(`/v1/bookings/${bookingId}/messages`, idempotencyKey, offered);
    const entry = {
      bookingNo: record.no,
      epoch: null,
      senderNo: HOST_NO,
      scope: scopeCode(HOST_SENDER.scope),
      clientId,
      flags: 0,
      kind: kindCode(input.kind),
      id: uuidV7(),
      body,
      mayBeKept: idempotencyKey !== undefined,
    };
    const result = await this.store.append(entry);
    if (result.outcome === 'stale') throw new ChatError('not_found');
    const kept = result.outcome === 'kept' ? result.row : entry;
    if (kept.kind !== entry.kind || kept.body !== body) throw new ChatError('conflict');
    const row = { ...kept, seq: result.seq, created_at: result.at, sender_no: HOST_NO, client_id: clientId };
    const message = messageOf(row, bookingId, sendersOf(record));
    if (result.outcome === 'stored' || result.untold) {
      const fresh = (await this.cache.get(bookingId))?.record ?? record;
      this.fanout.toPeople(readersOf(fresh, message.seq), 'message.created', {
        booking_id: bookingId,
        message,
      });
    }
    return { message, duplicate: result.outcome === 'kept' };
  }
}
