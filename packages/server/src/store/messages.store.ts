import { Inject, Injectable } from '@nestjs/common';
import type { AppendEntry, AppendOutcome } from './append-entry.js';
import { AppendWriter } from './append-writer.js';
import { Database } from './database.js';
import type { MessageRow } from './message-row.js';

/** Which rows of the log: the newest, the nearest before, or the first after a position. */
export interface HistoryRange {
  readonly before_seq?: number | undefined;
  readonly after_seq?: number | undefined;
  readonly limit: number;
}

/** A page in ascending order, with the head it was read at. */
export interface HistoryPage {
  readonly rows: readonly MessageRow[];
  readonly lastSeq: number;
  readonly epoch: number;
  readonly hasMore: boolean;
}

type PageRow = { [K in keyof MessageRow]: MessageRow[K] | null } & { last_seq: number; epoch: number };

const columns = 'm.seq, m.sender_no, m.kind, m.flags, m.id, m.client_id, m.body, m.created_at';
const page = (bound: string, order: 'ASC' | 'DESC') => `
  SELECT b.last_seq, b.epoch, ${columns} FROM bookings b
  LEFT JOIN LATERAL (
    SELECT * FROM messages m
    WHERE m.booking_no = b.no AND m.seq >= $2 AND ${bound} ORDER BY m.seq ${order} LIMIT $4
  ) m ON true
  WHERE b.no = $1 ORDER BY m.seq`;
const before = page('m.seq < $3', 'DESC');
const after = page('m.seq > $3', 'ASC');
const BEYOND = 2_147_483_647;

/** The log of bookings. */
@Injectable()
export class MessagesStore {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(AppendWriter) private readonly writer: AppendWriter,
  ) {}

  append(entry: AppendEntry): Promise<AppendOutcome> {
    return this.writer.append(entry);
  }

  /** One page of what a seat can see (`fromSeq` on), with the booking's epoch so that a lost seat shows. */
  async history(bookingNo: number, fromSeq: number, range: HistoryRange): Promise<HistoryPage> {
    const forward = range.after_seq !== undefined;
    const bound = range.after_seq ?? range.before_seq ?? BEYOND;
    const [text, name] = forward ? [after, 'curbline-after'] : [before, 'curbline-before'];
    // One more than asked says whether there is more; LEFT JOIN brings the head even when nothing is there.
    const found = await this.database.rows<PageRow>(text, [bookingNo, fromSeq, bound, range.limit + 1], name);
    const head = found[0];
    const rows = found.filter((row): row is PageRow & MessageRow => row.seq !== null);
    const hasMore = rows.length > range.limit;
    return {
      rows: hasMore ? (forward ? rows.slice(0, range.limit) : rows.slice(1)) : rows,
      lastSeq: head?.last_seq ?? 0,
      epoch: head?.epoch ?? -1,
      hasMore,
    };
  }

  /** The message that a sender's `client_id` already made, if any. */
  async kept(bookingNo: number, senderNo: number, clientId: string): Promise<MessageRow | undefined> {
    const rows = await this.database.rows<MessageRow>(
      `SELECT ${columns} FROM messages m WHERE m.booking_no = $1 AND m.client_id = $2 AND m.sender_no = $3`,
      [bookingNo, clientId, senderNo],
      'curbline-kept',
    );
    return rows[0];
  }

  /** How many messages of others a seat can see and has not read. */
  async unread(
    bookingNo: number,
    seat: { person_no: number; from_seq: number; read_seq: number },
  ): Promise<number> {
    const rows = await this.database.rows<{ unread: number }>(
      `SELECT count(*) AS unread FROM messages
       WHERE booking_no = $1 AND seq >= $2 AND seq > $3 AND sender_no <> $4`,
      [bookingNo, seat.from_seq, seat.read_seq, seat.person_no],
      'curbline-unread',
    );
    return rows[0]?.unread ?? 0;
  }
}
