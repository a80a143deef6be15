import type { Answer, BookingView, MessageObject } from '@curbline/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

/** `customer`, or one of three drivers. */
const ACTORS = ['customer', 'd0', 'd1', 'd2'] as const;
type ActorName = (typeof ACTORS)[number];

interface Send {
  who: ActorName;
  /** Which of a few client_ids: repeats and conflicts are likely. */
  id: number;
  text: string;
}
type Change = { driver: ActorName | null } | { status: string };
type Step = { sends: Send[]; change?: Change | undefined; reader: ActorName };

interface Entry extends Send {
  seq: number;
}
type Outcome = { seq: number; duplicate: boolean; text: string } | string;

/** What the contract says of a booking's log, in a few lines and without any concurrency. */
class Model {
  log: Entry[] = [];
  driver: ActorName | null = 'd0';
  status = 'accepted';
  /** Visible ranges of each driver, the last one open: from_seq, to_seq. */
  seats: { who: ActorName; from: number; to: number }[] = [{ who: 'd0', from: 1, to: Infinity }];

  get open(): boolean {
    return this.status !== 'pending' && this.driver !== null;
  }
  get next(): number {
    return this.log.length + 1;
  }

  send({ who, id, text }: Send): Outcome {
    if (who !== 'customer' && who !== this.driver) return 'not_found';
    const kept = this.log.find((entry) => entry.who === who && entry.id === id);
    if (kept) return kept.text === text ? { seq: kept.seq, duplicate: true, text } : 'conflict';
    return this.open ? { seq: this.next, duplicate: false, text } : 'chat_closed';
  }

  store(send: Send): void {
    this.log.push({ ...send, seq: this.next });
  }

  change(change: Change): void {
    if ('status' in change) this.status = change.status;
    else if (change.driver !== this.driver) {
      const last = this.seats.at(-1);
      if (last && this.driver !== null) last.to = this.log.length;
      this.driver = change.driver;
      if (change.driver !== null) this.seats.push({ who: change.driver, from: this.next, to: Infinity });
    }
  }

  sees(who: ActorName, seq: number): boolean {
    return (
      who === 'customer' || this.seats.some((seat) => seat.who === who && seat.from <= seq && seq <= seat.to)
    );
  }

  list(who: ActorName): number[] | string {
    if (who !== 'customer' && who !== this.driver) return 'not_found';
    if (!this.open) return 'chat_closed';
    const from = who === 'customer' ? 1 : (this.seats.at(-1)?.from ?? 1);
    return this.log.filter((entry) => entry.seq >= from).map((entry) => entry.seq);
  }
}

const send: fc.Arbitrary<Send> = fc.record({
  who: fc.oneof(
    { weight: 3, arbitrary: fc.constant<ActorName>('customer') },
    fc.constantFrom<ActorName>('d0', 'd1', 'd2'),
  ),
  id: fc.nat(7),
  text: fc.constantFrom('yes', 'no'),
});
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ driver: fc.constantFrom<ActorName | null>('d0', 'd1', 'd2', null) }),
  fc.record({ status: fc.constantFrom('pending', 'accepted', 'in_progress', 'completed') }),
);
const step: fc.Arbitrary<Step> = fc.record({
  sends: fc.array(send, { maxLength: 8 }),
  change: fc.option(change, { nil: undefined }),
  reader: fc.constantFrom(...ACTORS),
});

let server: TestServer;
let people: Record<ActorName, Person>;
const idOf = (name: ActorName) => `model-${name}`;

beforeAll(async () => {
  server = await TestServer.start();
  const connect = async (name: ActorName) =>
    Person.connect(server, await server.token(name === 'customer' ? 'customer' : 'driver', idOf(name)));
  const [customer, d0, d1, d2] = await Promise.all(ACTORS.map(connect));
  if (!customer || !d0 || !d1 || !d2) throw new Error('all connect');
  people = { customer, d0, d1, d2 };
});
afterAll(async () => {
  for (const person of Object.values(people)) person.leave();
  await server.stop();
});

type Sent = { message: MessageObject; duplicate: boolean };
const outcomeOf = ({ data, error }: Answer<Sent>): Outcome =>
  data
    ? { seq: data.message.seq, duplicate: data.duplicate, text: (data.message.body as { text: string }).text }
    : error.code;
const isStored = (outcome: Outcome): outcome is { seq: number; duplicate: false; text: string } =>
  typeof outcome !== 'string' && !outcome.duplicate;

test('whatever is sent, repeated, closed and reassigned at once, some order of it is what the contract says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const model = new Model();
      const booking_id = await server.booking(undefined, { driver: idOf('d0'), customer: idOf('customer') });
      const clientIds = Array.from({ length: 8 }, () => crypto.randomUUID());
      const ask = async ({ who, id, text }: Send): Promise<Outcome> =>
        outcomeOf(
          await people[who].ask<Sent>('message.send', {
            booking_id,
            client_id: clientIds[id],
            kind: 'text',
            body: { text },
          }),
        );

      for (const { sends, change: wanted, reader } of steps) {
        // All of it at once: the server finds an order, the model has to agree with it.
        const changing =
          wanted && server.rest<BookingView>('PATCH', `/v1/bookings/${booking_id}`, patchOf(wanted));
        const outcomes = await Promise.all(sends.map(async (one) => [one, await ask(one)] as const));
        const changed = await changing;
        if (changed) expect(changed.status).toBe(200);
        const stored = outcomes
          .filter(([, outcome]) => isStored(outcome))
          .sort(([, a], [, b]) => (isStored(a) && isStored(b) ? a.seq - b.seq : 0));
        const line = lineOf(model, wanted, changed?.body, stored.length);
        // What was answered without being stored fits the world before the change, or the one after it.
        const worlds: Map<string, Outcome>[] = [];
        const rest = outcomes.filter(([, outcome]) => !isStored(outcome)).map(([one]) => one);
        const look = () => worlds.push(new Map(rest.map((one) => [JSON.stringify(one), model.send(one)])));
        look();
        for (const [one, outcome] of stored) {
          if (isStored(outcome) && outcome.seq === line && wanted) model.change(wanted);
          expect(outcome).toEqual(model.send(one));
          model.store(one);
          look();
        }
        look();
        if (wanted && line === model.next) model.change(wanted);
        look();
        for (const [one, outcome] of outcomes) {
          if (!isStored(outcome))
            expect(worlds.map((world) => world.get(JSON.stringify(one)))).toContainEqual(outcome);
        }
        const { data, error } = await people[reader].ask<{ messages: MessageObject[] }>('message.list', {
          booking_id,
          limit: 200,
        });
        expect(data ? data.messages.map((message) => message.seq) : error.code).toEqual(model.list(reader));
      }

      await expectLive(booking_id, model);
      const { body } = await server.rest<{ data: MessageObject[] }>(
        'GET',
        `/v1/bookings/${booking_id}/messages?limit=200&after_seq=0`,
      );
      const log = body.data.slice(0, model.log.length).map((message) => ({
        seq: message.seq,
        who: message.sender.user_id.replace('model-', ''),
        id: clientIds.findIndex((one) => one === message.client_id),
        text: (message.body as { text: string }).text,
      }));
      expect(log).toEqual(model.log);
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 240_000);

const patchOf = (wanted: Change) =>
  'status' in wanted ? wanted : { driver: wanted.driver === null ? null : { id: idOf(wanted.driver) } };

/** The seq at which a change came between the sends: a new seat says it; a status, only the outcomes do. */
function lineOf(
  model: Model,
  wanted: Change | undefined,
  booking: BookingView | undefined,
  stored: number,
): number {
  if (!wanted || !booking) return Number.NaN;
  if ('status' in wanted || wanted.driver === model.driver) {
    // From closed to open everything that is stored came after, from open to closed before.
    const opens = 'status' in wanted && !model.open;
    return opens ? model.next : model.next + stored;
  }
  const seats = booking.participants.filter((seat) => seat.scope === 'driver');
  if (wanted.driver === null) return (seats.at(-1)?.to_seq ?? 0) + 1;
  return seats.at(-1)?.from_seq ?? 0;
}

/** Everybody was shown what their seats cover and nothing else, in order. */
async function expectLive(booking_id: string, model: Model): Promise<void> {
  // Opened for a last word, which comes after all the others.
  await server.rest('PATCH', `/v1/bookings/${booking_id}`, {
    status: 'accepted',
    driver: { id: idOf('d0') },
  });
  await server.rest('POST', `/v1/bookings/${booking_id}/messages`, {
    kind: 'system',
    body: { text: 'the end' },
  });
  for (const name of ACTORS) {
    const told = () =>
      people[name]
        .told<{ booking_id: string; message: MessageObject }>('message.created')
        .filter((event) => event.booking_id === booking_id);
    if (name === 'customer' || name === 'd0') {
      await people[name].hears<{ booking_id: string; message: MessageObject }>(
        'message.created',
        (event) => event.booking_id === booking_id && event.message.kind === 'system',
      );
    } else {
      // A round trip on this socket: what was told before it has arrived.
      await people[name].ask('booking.list', {});
    }
    const expected = model.log
      .filter((entry) => entry.who !== name && model.sees(name, entry.seq))
      .map((entry) => entry.seq);
    const shown = told()
      .map((event) => event.message)
      .filter((message) => message.kind === 'text');
    expect(
      shown.map((message) => message.seq),
      name,
    ).toEqual(expected);
  }
}
