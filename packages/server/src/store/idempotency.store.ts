import { Inject, Injectable } from '@nestjs/common';
import { Database } from './database.js';

/** Idempotency keys of REST calls: 24 hours, for one key and path. */
@Injectable()
export class IdempotencyStore {
  constructor(@Inject(Database) private readonly database: Database) {}

  /**
   * The `client_id` that stands for this key: the first caller's while the key is fresh, else the one offered.
   * Two calls at once get the same one, and the log makes them one message.
   */
  async clientIdFor(path: string, key: string, offered: string): Promise<string> {
    const rows = await this.database.rows<{ client_id: string }>(
      `INSERT INTO idempotency_keys AS k (path, key, client_id, created_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (path, key) DO UPDATE SET
         client_id = CASE WHEN k.created_at < now() - interval '24 hours' THEN excluded.client_id ELSE k.client_id END,
         created_at = CASE WHEN k.created_at < now() - interval '24 hours' THEN now() ELSE k.created_at END
       RETURNING client_id`,
      [path, key, offered],
    );
    return rows[0]?.client_id ?? offered;
  }

  async forgetOld(): Promise<void> {
    await this.database.rows(
      `DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`,
      [],
    );
  }
}
