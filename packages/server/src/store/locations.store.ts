import { Inject, Injectable } from '@nestjs/common';
import { Database } from './database.js';

/** The last position a person shared in a booking. */
export interface LocationRow {
  readonly person_no: number;
  readonly position: Record<string, number>;
  readonly at: Date;
}

/** Last known positions: not part of the log, kept until the chat closes. */
@Injectable()
export class LocationsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  async keep(bookingNo: number, personNo: number, position: Record<string, number>, at: Date): Promise<void> {
    await this.database.rows(
      `INSERT INTO locations (booking_no, person_no, position, at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (booking_no, person_no) DO UPDATE SET position = excluded.position, at = excluded.at
       WHERE locations.at <= excluded.at`,
      [bookingNo, personNo, JSON.stringify(position), at],
      'curbline-location',
    );
  }

  /** Positions of the people who have a seat now. */
  of(bookingNo: number): Promise<LocationRow[]> {
    return this.database.rows<{ [K in keyof LocationRow]: LocationRow[K] }>(
      `SELECT l.person_no, l.position, l.at FROM locations l
       JOIN participants p ON p.booking_no = l.booking_no AND p.person_no = l.person_no AND p.to_seq IS NULL
       WHERE l.booking_no = $1`,
      [bookingNo],
      'curbline-locations',
    );
  }

  async forget(bookingId: string): Promise<void> {
    await this.database.rows(
      'DELETE FROM locations WHERE booking_no = (SELECT no FROM bookings WHERE id = $1)',
      [bookingId],
      'curbline-forget-locations',
    );
  }
}
