/** A message as it came over the wire. */
export interface Message {
  id: string;
  seq: number;
  client_id: string;
  sender: { user_id: string; scope: string };
  body: { text?: string };
}

/** The part of a booking's log that a client without the SDK has applied, in order of `seq`. */
export class LogView {
  readonly id: string;
  position = 0;
  reading = false;
  /** Whether its person may be there: not before a handover, or not after it. */
  seat: 'awaited' | 'held' | 'lost';
  readonly #early = new Map<number, Message>();
  readonly #applied: (seen: { booking_id: string; message: Message }) => void;

  constructor(
    id: string,
    seat: 'awaited' | 'held',
    applied: (seen: { booking_id: string; message: Message }) => void,
  ) {
    this.id = id;
    this.seat = seat;
    this.#applied = applied;
  }

  get behind(): boolean {
    return this.#early.size > 0;
  }

  /** The seat was taken; what lies before it is not this person's. */
  sit(from_seq: number): void {
    this.seat = 'held';
    this.position = from_seq - 1;
    this.#apply();
  }

  hear(message: Message): void {
    if (message.seq <= this.position) return;
    this.#early.set(message.seq, message);
    if (this.seat !== 'awaited') this.#apply();
  }

  #apply(): void {
    for (let next = this.#early.get(this.position + 1); next; next = this.#early.get(this.position + 1)) {
      this.#early.delete(next.seq);
      this.position = next.seq;
      this.#applied({ booking_id: this.id, message: next });
    }
  }
}
