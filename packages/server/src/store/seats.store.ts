import { Inject, Injectable } from '@nestjs/common';
import type { PersonRef } from '../actor.js';
import { scopeCode } from './codes.js';
import { Database } from './database.js';

/** Whether a person has a seat, asked in a way that costs the same for strangers and for unknown bookings. */
@Injectable()
export class SeatsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  async has(person: PersonRef, bookingId: string): Promise<boolean> {
    const rows = await this.database.rows(
      `SELECT 1 FROM bookings b
       JOIN participants p ON p.booking_no = b.no AND p.scope = $2 AND p.user_id = $3 AND p.to_seq IS NULL
       WHERE b.id = $1`,
      [bookingId, scopeCode(person.scope), person.user_id],
      'curbline-seat',
    );
    return rows.length > 0;
  }
}
