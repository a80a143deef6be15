import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppendWriter } from './append-writer.js';
import { Database } from './database.js';

/** After the sockets are closed: what is being committed finishes, then the database is let go. */
@Injectable()
export class StoreLifecycle implements OnApplicationShutdown {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(AppendWriter) private readonly writer: AppendWriter,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.writer.drained();
    await this.database.close();
  }
}
