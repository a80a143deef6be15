import { Inject, Injectable } from '@nestjs/common';
import { Database } from './database.js';

/** A seat's receipts after a mark, and whether the mark moved them. */
export interface MarkedReceipt {
  readonly delivered_seq: number;
  readonly read_seq: number;
  readonly at: Date;
  readonly moved: boolean;
}

/**
 * Receipts only grow, are clipped to the head, and reading implies delivery. What the person sent counts as
 * delivered and read (`sent`), whatever the stored marks say.
 */
const MARK = `
  WITH head AS (
    SELECT b.last_seq, CASE p.scope WHEN 1 THEN b.driver_sent_seq WHEN 2 THEN b.customer_sent_seq ELSE 0 END AS sent,
           p.no, p.delivered_seq, p.read_seq
    FROM participants p JOIN bookings b ON b.no = p.booking_no
    WHERE p.booking_no = $1 AND p.person_no = $2 AND p.to_seq IS NULL
    FOR NO KEY UPDATE OF p
  ), wanted AS (
    SELECT no, greatest(delivered_seq, sent) AS old_delivered, greatest(read_seq, sent) AS old_read,
           greatest(delivered_seq, sent, least($3::integer, last_seq), least($4::integer, last_seq)) AS delivered,
           greatest(read_seq, sent, least($4::integer, last_seq)) AS read
    FROM head
  ), moved AS (
    UPDATE participants p SET delivered_seq = w.delivered, read_seq = w.read,
           receipt_at = date_trunc('milliseconds', clock_timestamp())
    FROM wanted w WHERE p.no = w.no AND (w.delivered > w.old_delivered OR w.read > w.old_read)
    RETURNING p.receipt_at
  )
  SELECT delivered AS delivered_seq, read AS read_seq, EXISTS (SELECT 1 FROM moved) AS moved,
         coalesce((SELECT receipt_at FROM moved), clock_timestamp()) AS at
  FROM wanted`;

/** Delivered and read marks of seats. */
@Injectable()
export class ReceiptsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Undefined when the person has no seat (any more). */
  async mark(
    bookingNo: number,
    personNo: number,
    marks: { delivered: number; read: number },
  ): Promise<MarkedReceipt | undefined> {
    const rows = await this.database.rows<{ [K in keyof MarkedReceipt]: MarkedReceipt[K] }>(
      MARK,
      [bookingNo, personNo, marks.delivered, marks.read],
      'curbline-mark',
    );
    return rows[0];
  }
}
