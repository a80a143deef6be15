import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import pg from 'pg';
import type { SendMessageDto } from './send-message.dto.js';
import type { User } from './user-socket.js';

export interface Booking {
  id: string;
  driver_id: string;
  customer_id: string;
}

export interface Person {
  id: string;
  name: string;
  socket_id: string | null;
}

export interface StoredMessage {
  id: string;
  created_at: Date;
}

/** The tutorial's service, with its collections as tables. */
@Injectable()
export class ChatService implements OnModuleDestroy {
  private readonly pool = new pg.Pool({ connectionString: process.env['TUTORIAL_DATABASE_URL'] });

  async bookingDetail(bookingId: string): Promise<Booking | undefined> {
    const { rows } = await this.pool.query<Booking>('SELECT * FROM bookings WHERE id = $1', [bookingId]);
    return rows[0];
  }

  async findPerson(scope: User['scope'], id: string): Promise<Person | undefined> {
    const { rows } = await this.pool.query<Person>(`SELECT * FROM ${scope}s WHERE id = $1`, [id]);
    return rows[0];
  }

  async updateSocketId(user: User, socketId: string): Promise<void> {
    await this.pool.query(`UPDATE ${user.scope}s SET socket_id = $1 WHERE id = $2`, [socketId, user.user_id]);
  }

  async createConnection(driverId: string, customerId: string, scope: User['scope']): Promise<string> {
    const pair = [driverId, customerId];
    const find = 'SELECT id FROM connections WHERE driver_id = $1 AND customer_id = $2';
    const create = 'INSERT INTO connections (driver_id, customer_id) VALUES ($1, $2) RETURNING id';
    const found = (await this.pool.query<{ id: string }>(find, pair)).rows[0];
    const connection = found ?? (await this.pool.query<{ id: string }>(create, pair)).rows[0];
    if (connection === undefined) throw new Error('no connection');
    const connectionId = connection.id;
    await this.pool.query(`UPDATE ${scope}s SET connection_id = $1 WHERE id = $2`, [
      connectionId,
      scope === 'driver' ? driverId : customerId,
    ]);
    return connectionId;
  }

  async saveMessage(user: User, message: SendMessageDto): Promise<StoredMessage> {
    const { rows } = await this.pool.query<StoredMessage>(
      'INSERT INTO messages (booking_id, sender_id, sender_scope, client_id, kind, body) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, created_at',
      [message.booking_id, user.user_id, user.scope, message.client_id, message.kind, message.body],
    );
    return rows[0] as StoredMessage;
  }

  /** The same INSERT as a named statement, which the server parses and plans once a connection. */
  async saveMessagePrepared(user: User, message: SendMessageDto): Promise<StoredMessage> {
    const { rows } = await this.pool.query<StoredMessage>({
      name: 'save-message',
      text: 'INSERT INTO messages (booking_id, sender_id, sender_scope, client_id, kind, body) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, created_at',
      values: [message.booking_id, user.user_id, user.scope, message.client_id, message.kind, message.body],
    });
    return rows[0] as StoredMessage;
  }

  async onModuleDestroy(): Promise<void> {
    await this.pool.end();
  }
}
