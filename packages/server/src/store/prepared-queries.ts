import type pg from 'pg';
import { BindMessage } from './bind-message.js';
import { isConflict } from './store-error.js';

/** A statement that is prepared once on each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** PostgreSQL's numbers of the parameters' types, in their order. */
  readonly types: readonly number[];
}

/** The columns of a row as texts, in the order of the statement. */
export type Row = readonly (string | null)[];

/** What pg's types leave out of its `Connection`, as pg-cursor and others use it. */
interface Wire {
  readonly stream: { write(bytes: Buffer): unknown };
  parse(statement: { name: string; text: string; types: readonly number[] }): void;
}

/**
 * The queries of one connection, one at a time, as pg lets others write them (`Submittable`). Its own asks for the columns each time and makes objects
 * of rows by their names: with its buffers and listeners that is a quarter of what a server does for a message that comes alone. One object serves all
 * queries, so that none keeps another alive (see `queryOn`).
 */
export class PreparedQueries implements pg.Submittable {
  private readonly message = new BindMessage();
  private readonly prepared = new Set<string>();
  private asked: Statement | undefined;
  private bytes: Buffer | undefined;
  private rows: Row[] = [];
  private resolve: ((rows: Row[]) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;

  constructor(private readonly client: pg.ClientBase) {}

  /** `fill` writes the parameters, each in the binary form of its type. */
  ask(statement: Statement, fill: (message: BindMessage) => void): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.message.begin(statement.name, statement.types.length);
      fill(this.message);
      this.bytes = this.message.end();
      this.asked = statement;
      this.rows = [];
      this.resolve = resolve;
      this.reject = reject;
      this.client.query(this);
    });
  }

  /** @internal What follows is called by pg. */
  submit(connection: pg.Connection): void {
    const wire = connection as unknown as Wire;
    const { asked, bytes } = this;
    if (!asked || !bytes) return;
    if (!this.prepared.has(asked.name)) wire.parse(asked);
    wire.stream.write(bytes);
  }

  /** @internal */
  handleDataRow({ fields }: { fields: Row }): void {
    this.rows.push(fields);
  }

  /** @internal */
  handleCommandComplete(): void {
    if (this.asked) this.prepared.add(this.asked.name);
  }

  /** @internal */
  handleReadyForQuery(): void {
    this.resolve?.(this.rows);
    this.forget();
  }

  /** @internal */
  handleError(error: unknown): void {
    // Only a statement that runs meets a key.
    if (this.asked && isConflict(error)) this.prepared.add(this.asked.name);
    this.reject?.(error);
    this.forget();
  }

  private forget(): void {
    this.rows = [];
    this.bytes = undefined;
    this.asked = undefined;
    this.resolve = undefined;
    this.reject = undefined;
  }
}
