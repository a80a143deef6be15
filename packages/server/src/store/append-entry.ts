/** One message on its way into the log. Numbers are internal ones, `body` is its JSON. */
export interface AppendEntry {
  readonly bookingNo: number;
  /** The booking's epoch that the sender's right was judged by; null for the host, who needs no seat. */
  readonly epoch: number | null;
  readonly senderNo: number;
  readonly scope: number;
  readonly clientId: string;
  readonly flags: number;
  readonly kind: number;
  readonly id: string;
  readonly body: string;
  /** That it was kept before, by a process that is gone or by another node, is likely enough to look first. */
  readonly mayBeKept: boolean;
}

/** What became of it. `stale`: rights may have changed, judge again; nothing was kept. */
export type AppendOutcome =
  | {
      readonly outcome: 'stored';
      readonly seq: number;
      readonly at: Date;
      /** No other was stored with it: whoever waits for this one, waits for nothing else. */
      readonly isAlone: boolean;
    }
  | {
      readonly outcome: 'kept';
      readonly seq: number;
      readonly at: Date;
      readonly row: KeptRow;
      /** The first send was answered `unavailable`, and the database kept it after all: nobody was told. */
      readonly untold: boolean;
    }
  | { readonly outcome: 'stale' };

/** The row that an earlier send of the same `client_id` left. */
export interface KeptRow {
  readonly kind: number;
  readonly flags: number;
  readonly id: string;
  readonly body: string;
}
