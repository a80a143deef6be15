import type { PartyScope } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { uuidV7 } from '../ops/uuid-v7.js';
import { loadRecord, type BookingRecord } from './booking-row.js';
import { scopeCode } from './codes.js';
import { Database } from './database.js';

/** The link of a driver and a customer. */
@Injectable()
export class ConnectionsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /**
   * Finds or creates the connection of the booking's pair, links both records, and answers the connection with
   * the booking as it is then. Undefined when the booking has no driver (any more).
   */
  async connect(
    booking: { no: number; id: string },
    joining?: { personNo: number; scope: PartyScope },
  ): Promise<{ connectionId: string; record: BookingRecord } | undefined> {
    const rows = await this.database.rows<{ id: string | null }>(
      'SELECT curbline_connect($1, $2) AS id',
      [booking.no, uuidV7()],
      'curbline-connect',
    );
    const connectionId = rows[0]?.id;
    if (connectionId === null || connectionId === undefined) return undefined;
    if (joining) {
      await this.database.rows(
        `UPDATE participants SET joined_at = clock_timestamp()
         WHERE booking_no = $1 AND person_no = $2 AND scope = $3 AND to_seq IS NULL AND joined_at IS NULL`,
        [booking.no, joining.personNo, scopeCode(joining.scope)],
        'curbline-joined',
      );
    }
    const record = await this.database.run((db) => loadRecord(db, booking.id));
    return record && { connectionId, record };
  }
}
