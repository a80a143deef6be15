import type { PartyScope } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { uuidV7 } from '../ops/uuid-v7.js';
import { loadRecord, type BookingRecord } from './booking-row.js';
import { scopeCode } from './codes.js';
import { Database } from './database.js';

const MAX_ATTEMPTS = 8;

/** The link of a driver and a customer. */
@Injectable()
export class ConnectionsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /**
   * Finds or creates the connection of the booking's pair, links both records, and answers the booking as it is
   * then, with that connection. Undefined when the booking has no driver (any more).
   */
  async connect(
    booking: { no: number; id: string },
    joining?: { personNo: number; scope: PartyScope },
  ): Promise<{ connectionId: string; record: BookingRecord } | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const connectionId = await this.connectPair(booking.no);
      if (connectionId === undefined) return undefined;
      if (joining) await this.joined(booking.no, joining);
      const record = await this.database.run((db) => loadRecord(db, booking.id));
      // Else it was given to somebody else in between, and this connection is not that pair's.
      if (record?.connection_id === connectionId) return { connectionId, record };
    }
    throw new ChatError('unavailable', {
      cause: new Error('a booking was reassigned each time its pair was connected'),
      retryAfterMs: 100,
    });
  }

  private async connectPair(bookingNo: number): Promise<string | undefined> {
    const [row] = await this.database.rows<{ id: string | null }>(
      'SELECT curbline_connect($1, $2) AS id',
      [bookingNo, uuidV7()],
      'curbline-connect',
    );
    return row?.id ?? undefined;
  }

  private async joined(bookingNo: number, { personNo, scope }: { personNo: number; scope: PartyScope }) {
    await this.database.rows(
      `UPDATE participants SET joined_at = clock_timestamp()
       WHERE booking_no = $1 AND person_no = $2 AND scope = $3 AND to_seq IS NULL AND joined_at IS NULL`,
      [bookingNo, personNo, scopeCode(scope)],
      'curbline-joined',
    );
  }
}
