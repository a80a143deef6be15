import type { PartyScope, PersonInput } from '@curbline/contract';
import { Inject, Injectable } from '@nestjs/common';
import { sql, type Kysely, type Transaction } from 'kysely';
import { ChatError } from '../chat-error.js';
import { scopeCode } from './codes.js';
import { Database } from './database.js';
import { loadRecord, recordQuery, type BookingRecord, type BookingRow } from './booking-row.js';
import { upsertPerson } from './people.store.js';
import type { Tables } from './schema.js';

/** What the service decides under the booking's lock, from the row as it stands. */
export interface BookingDecision {
  status: string;
  closesAt: Date | null;
  /** Rights or seats change: sends that were judged before are judged again. */
  rightsChange: boolean;
  /** The chat is not open any more: last known positions go. */
  closes: boolean;
}

/** What the host asks to write. `driver: null` takes the driver away, absent keeps. */
export interface BookingChange {
  driver?: PersonInput | null | undefined;
  customer?: PersonInput | undefined;
  metadata?: Record<string, unknown> | undefined;
  decide(current: BookingRow | null): BookingDecision;
}

/** A booking before and after a change. */
export interface ChangedBooking {
  before: BookingRecord | null;
  after: BookingRecord;
}

const MAX_ATTEMPTS = 5;

/** Bookings, their seats, and everything about them that is not the log. */
@Injectable()
export class BookingsStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** The booking with its seats and people; undefined when there is none. */
  find(id: string): Promise<BookingRecord | undefined> {
    return this.database.run((db) => loadRecord(db, id));
  }

  /** A page of bookings, newest first; `beforeNo` from the last row of the page before. */
  async page(range: {
    status?: string | undefined;
    beforeNo?: number;
    limit: number;
  }): Promise<BookingRecord[]> {
    return this.database.run(async (db) => {
      const { status, beforeNo = Number.MAX_SAFE_INTEGER, limit } = range;
      if (status === undefined) {
        return recordQuery(db).where('b.no', '<', beforeNo).orderBy('b.no', 'desc').limit(limit).execute();
      }
      // As the index has it.
      const newestFirst = sql<number>`-b.no`;
      return recordQuery(db)
        .where('b.status', '=', status)
        .where(newestFirst, '>', -beforeNo)
        .orderBy(newestFirst)
        .limit(limit)
        .execute();
    });
  }

  /** A page of the bookings in which a person has a seat now, newest first. */
  async pageOf(
    person: { scope: PartyScope; user_id: string },
    range: { beforeNo?: number | undefined; limit: number },
  ): Promise<BookingRecord[]> {
    const table = person.scope === 'driver' ? 'drivers' : 'customers';
    return this.database.run(async (db) => {
      let query = recordQuery(db)
        .innerJoin('participants as mine', 'mine.booking_no', 'b.no')
        .innerJoin(`${table} as me`, 'me.no', 'mine.person_no')
        .where('me.id', '=', person.user_id)
        .where('mine.to_seq', 'is', null)
        .orderBy('mine.booking_no', 'desc')
        .limit(range.limit);
      if (range.beforeNo !== undefined) query = query.where('mine.booking_no', '<', range.beforeNo);
      return query.execute();
    });
  }

  /**
   * Creates or changes a booking in one transaction: people, seats, status. A changed person ends the old seat
   * at the head of the log and opens the new one at the next `seq`, under the lock that appends take too.
   * Throws `not_found`, and keeps nothing, when there is no booking and none may be created.
   */
  async change(id: string, mayCreate: boolean, change: BookingChange): Promise<ChangedBooking> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const changed = await this.database.transaction((trx) => changeOnce(trx, id, mayCreate, change));
      if (changed !== 'again') return changed;
    }
    throw new Error(`booking ${JSON.stringify(id)} was created and removed in turn ${MAX_ATTEMPTS} times`);
  }

  /** Marks chats whose grace has passed as told, and returns their ids: each to one node only. */
  async claimClosed(now: Date): Promise<string[]> {
    return this.database.run(async (db) => {
      const rows = await db
        .updateTable('bookings')
        .set({ closing_told: true, epoch: sql<number>`epoch + 1` })
        .where('closes_at', '<=', now)
        .where('closing_told', '=', false)
        .returning('id')
        .execute();
      return rows.map((row) => row.id);
    });
  }

  /**
   * Erases the bodies of bookings that closed, or that nobody used, before these times; returns their ids. Bounded: call
   * until it is empty.
   */
  async archive({ closed, unused }: { closed: Date; unused: Date }, limit: number): Promise<string[]> {
    return this.database.transaction(async (trx) => {
      const rows = await trx
        .selectFrom('bookings')
        .select(['no', 'id'])
        .where('archived_at', 'is', null)
        .where(
          sql<boolean>`CASE WHEN closes_at IS NULL THEN active_at < ${unused} ELSE closes_at < ${closed} END`,
        )
        .orderBy('no')
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .execute();
      const numbers = rows.map((row) => row.no);
      if (numbers.length === 0) return [];
      await trx
        .updateTable('messages')
        .set({ body: '{"erased":true}' })
        .where('booking_no', 'in', numbers)
        .execute();
      await trx.deleteFrom('locations').where('booking_no', 'in', numbers).execute();
      await trx
        .updateTable('bookings')
        .set({ archived_at: sql<Date>`now()`, epoch: sql<number>`epoch + 1` })
        .where('no', 'in', numbers)
        .execute();
      return rows.map((row) => row.id);
    });
  }
}

async function changeOnce(
  trx: Transaction<Tables>,
  id: string,
  mayCreate: boolean,
  change: BookingChange,
): Promise<ChangedBooking | 'again'> {
  // Order of locks everywhere: driver, customer, booking.
  const driverNo = change.driver ? await upsertPerson(trx, 'driver', change.driver) : change.driver;
  const customerNo = change.customer && (await upsertPerson(trx, 'customer', change.customer));
  const locked = await trx
    .selectFrom('bookings')
    .select('no')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  const before = locked && (await loadRecord(trx, id));
  if (before === undefined) {
    // Thrown, so that the people above are rolled back.
    if (!mayCreate || customerNo === undefined) throw new ChatError('not_found');
    const { status, closesAt } = change.decide(null);
    const created = await trx
      .insertInto('bookings')
      .values({
        id,
        status,
        closes_at: closesAt,
        driver_no: driverNo ?? null,
        customer_no: customerNo,
        metadata: JSON.stringify(change.metadata ?? {}),
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returning('no')
      .executeTakeFirst();
    if (created === undefined) return 'again';
    if (change.driver && typeof driverNo === 'number')
      await openSeat(trx, created.no, 'driver', driverNo, change.driver.id, 0);
    if (change.customer) await openSeat(trx, created.no, 'customer', customerNo, change.customer.id, 0);
    return { before: null, after: await reload(trx, id) };
  }
  const decided = change.decide(before);
  const newDriver = driverNo !== undefined && driverNo !== before.driver_no;
  const newCustomer = customerNo !== undefined && customerNo !== before.customer_no;
  await trx
    .updateTable('bookings')
    .set({
      status: decided.status,
      closes_at: decided.closesAt,
      // Without grace, this change tells of the closing.
      ...(decided.closesAt?.getTime() !== before.closes_at?.getTime() && {
        closing_told: decided.closesAt !== null && decided.closesAt <= new Date(),
      }),
      ...(change.metadata !== undefined && { metadata: JSON.stringify(change.metadata) }),
      ...(newDriver && { driver_no: driverNo, driver_sent_seq: 0 }),
      ...(newCustomer && { customer_no: customerNo, customer_sent_seq: 0 }),
      ...((newDriver || newCustomer) && { connection_id: null }),
      ...((newDriver || newCustomer || decided.rightsChange) && { epoch: before.epoch + 1 }),
    })
    .where('no', '=', before.no)
    .execute();
  if (decided.closes || driverNo === null) {
    await trx.deleteFrom('locations').where('booking_no', '=', before.no).execute();
  }
  if (newDriver) {
    await endSeat(trx, before, 'driver', before.driver_sent_seq);
    if (change.driver && driverNo !== null) {
      await openSeat(trx, before.no, 'driver', driverNo, change.driver.id, before.last_seq);
    }
  }
  if (newCustomer && change.customer) {
    await endSeat(trx, before, 'customer', before.customer_sent_seq);
    await openSeat(trx, before.no, 'customer', customerNo, change.customer.id, before.last_seq);
  }
  return { before, after: await reload(trx, id) };
}

async function reload(trx: Transaction<Tables>, id: string): Promise<BookingRecord> {
  const record = await loadRecord(trx, id);
  if (record === undefined) throw new Error('a booking vanished inside its own transaction');
  return record;
}

async function openSeat(
  db: Kysely<Tables>,
  bookingNo: number,
  scope: PartyScope,
  personNo: number,
  userId: string,
  headSeq: number,
): Promise<void> {
  await db
    .insertInto('participants')
    .values({
      booking_no: bookingNo,
      person_no: personNo,
      scope: scopeCode(scope),
      user_id: userId,
      from_seq: headSeq + 1,
    })
    .execute();
}

/** The seat ends at the head; what the person sent is counted into its receipts, for ever. Their last position goes. */
async function endSeat(
  db: Kysely<Tables>,
  booking: BookingRow,
  scope: PartyScope,
  sentSeq: number,
): Promise<void> {
  const personNo = scope === 'driver' ? booking.driver_no : booking.customer_no;
  if (personNo !== null) {
    await db
      .deleteFrom('locations')
      .where('booking_no', '=', booking.no)
      .where('person_no', '=', personNo)
      .execute();
  }
  await db
    .updateTable('participants')
    .set({
      to_seq: booking.last_seq,
      delivered_seq: sql<number>`greatest(delivered_seq, ${sentSeq})`,
      read_seq: sql<number>`greatest(read_seq, ${sentSeq})`,
    })
    .where('booking_no', '=', booking.no)
    .where('scope', '=', scopeCode(scope))
    .where('to_seq', 'is', null)
    .execute();
}
