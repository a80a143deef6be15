import type { ChatMessage } from '@curbline/client';

/** What one phone holds. */
export interface PhoneRecord {
  readonly messages: readonly ChatMessage[];
  /** `client_id` of each message that the SDK handed over as new, as often as it did so. */
  readonly handed: readonly string[];
}

export interface Delivery {
  readonly sent: number;
  readonly arrived: number;
  /** Not yet with the other phone: unsent here, or stored and on its way there. */
  readonly waiting: number;
  readonly lost: number;
  readonly duplicated: number;
}

/** The booking's log as two phones hold it, compared by `client_id` in both directions. */
export function compare(a: PhoneRecord, b: PhoneRecord): Delivery {
  const there = oneWay(a, b);
  const back = oneWay(b, a);
  return {
    sent: there.sent + back.sent,
    arrived: there.arrived + back.arrived,
    waiting: there.waiting + back.waiting,
    lost: there.lost + back.lost,
    duplicated: there.duplicated + back.duplicated,
  };
}

function oneWay(from: PhoneRecord, to: PhoneRecord): Delivery {
  const incoming = to.messages.filter((message) => !message.mine);
  const shown = new Set(incoming.map((message) => message.client_id));
  const seqs = to.messages.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  const [oldest, newest] = [Math.min(...seqs), Math.max(...seqs)];
  const delivery = { sent: 0, arrived: 0, waiting: 0, lost: 0 };
  for (const { client_id, seq, state, mine } of from.messages) {
    // What failed was never promised; what is older than the other's first page cannot be looked for there.
    if (!mine || state === 'failed' || (seq !== undefined && seq < oldest)) continue;
    delivery.sent += 1;
    if (shown.has(client_id)) delivery.arrived += 1;
    // The other phone has something later but not this: a hole, which the protocol rules out.
    else if (seq !== undefined && seq < newest) delivery.lost += 1;
    else delivery.waiting += 1;
  }
  return {
    ...delivery,
    duplicated: repeats(incoming.map((message) => message.client_id)) + repeats(to.handed),
  };
}

const repeats = (ids: readonly string[]): number => ids.length - new Set(ids).size;
