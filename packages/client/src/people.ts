import type {
  ConnectionObject,
  LocationObject,
  MessageObject,
  PresenceObject,
  ReceiptObject,
} from '@curbline/contract';
import type { Identity } from './identity.js';
import { furthest, type Seqs } from './marks.js';
import type { Receipts } from './types.js';

/** A person is a scope and an id: the host may number drivers and customers alike. */
interface Person {
  user_id: string;
  scope: string;
}

export const isSame = (one: Person, other: Person | undefined): boolean =>
  one.user_id === other?.user_id && one.scope === other.scope;

/** Who else is in a booking: the view of `join`, presence, positions, how far they have read. Changes make new objects. */
export class People {
  view: ConnectionObject | undefined;
  presence: readonly PresenceObject[] = [];
  locations: readonly LocationObject[] = [];
  counterpart: Readonly<Seqs> = { delivered_seq: 0, read_seq: 0 };
  readonly #me: () => Identity | undefined;
  #receipts: Receipts | undefined;

  constructor(me: () => Identity | undefined) {
    this.#me = me;
  }

  isMe(person: Person): boolean {
    return isSame(person, this.#me());
  }

  see(view: ConnectionObject): void {
    const { _id: user_id, scope } = view.user_detail;
    if (this.view?.user_detail._id !== user_id) this.presence = [];
    this.view = view;
    this.counterpart = furthest(this.counterpart, view.counterpart);
    const { online, last_seen_at } = view.counterpart;
    const types = this.presence.find((other) => isSame(other, { user_id, scope }))?.types ?? [];
    this.present({ user_id, scope, online, types, ...(last_seen_at && { last_seen_at }) });
  }

  /** What `booking.updated` and `sync` know of the view. */
  update(update: { status: string; chat: ConnectionObject['chat']; closes_at?: string | undefined }): void {
    if (!this.view) return;
    const { status, chat, closes_at } = update;
    const { closes_at: _, ...view } = this.view;
    this.view = { ...view, status, chat, ...(closes_at && { closes_at }) };
    if (chat === 'closed') this.locations = [];
  }

  /** Only grows: a driver who took over starts where the other one ended. */
  received(receipt: ReceiptObject): void {
    if (receipt.scope !== 'support') this.counterpart = furthest(this.counterpart, receipt);
  }

  /** How far each side is: the same object until one of them moves. */
  receipts(own: Readonly<Seqs>): Receipts {
    const { counterpart } = this;
    if (this.#receipts?.own !== own || this.#receipts.counterpart !== counterpart)
      this.#receipts = { own, counterpart };
    return this.#receipts;
  }

  /** How many messages of others this person has not read. */
  unread(messages: readonly MessageObject[], { read_seq }: Readonly<Seqs>): number {
    return messages.filter(({ seq, sender }) => seq > read_seq && !this.isMe(sender)).length;
  }

  present({ user_id, scope, online, last_seen_at, types }: PresenceObject): void {
    if (this.isMe({ user_id, scope })) return;
    const entry = { user_id, scope, online, types, ...(last_seen_at && { last_seen_at }) };
    this.presence = [...this.presence.filter((other) => !isSame(other, entry)), entry];
  }

  located(location: LocationObject): void {
    this.locations = [...this.locations.filter((other) => !isSame(other, location)), location];
  }

  /** Whether the other seat belongs to somebody else than `view` says. */
  replaced(presence: readonly PresenceObject[]): boolean {
    const known = this.view?.user_detail;
    return presence.some(({ scope, user_id }) => scope === known?.scope && user_id !== known._id);
  }
}
