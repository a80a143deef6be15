import type { ClientSpec } from './clients/spec.ts';
import { mintToken, type Person } from './rig/tokens.ts';

export type CastMember = Pick<
  ClientSpec,
  'name' | 'kind' | 'person' | 'bookings' | 'transport' | 'everyMs' | 'handover'
>;

/** Bookings with their two people. */
export const BOOKINGS = [
  { id: 'b0', driver: 'd0', customer: 'c0' },
  { id: 'b1', driver: 'd1', customer: 'c1' },
  { id: 'b2', driver: 'd0', customer: 'c2' },
  { id: 'b3', driver: 'd1', customer: 'c3' },
  { id: 'b4', driver: 'd4', customer: 'c4' },
] as const;
/** In the middle of the run the host gives this booking to another driver. */
export const HANDOVER = { id: 'b4', from: 'd4', to: 'd5', customer: 'c4' } as const;
const IDS = BOOKINGS.map(({ id }) => id);

const driver = (user_id: string): Person => ({ user_id, scope: 'driver' });
const customer = (user_id: string): Person => ({ user_id, scope: 'customer' });
const bookingsOf = ({ user_id }: Person): string[] =>
  user_id === HANDOVER.to
    ? [HANDOVER.id]
    : BOOKINGS.filter((booking) => booking.driver === user_id || booking.customer === user_id).map(
        ({ id }) => id,
      );

const member = (
  name: string,
  kind: 'sdk' | 'raw',
  person: Person,
  everyMs: number,
  transport: ClientSpec['transport'] = 'websocket',
): CastMember => ({
  name,
  kind,
  person,
  bookings: bookingsOf(person),
  transport,
  everyMs,
  handover: person.user_id === HANDOVER.from ? 'gives' : person.user_id === HANDOVER.to ? 'takes' : undefined,
});

/** SDK and raw clients talk with each other; two second devices only listen, one of them by long polling. */
export const CAST: readonly CastMember[] = [
  member('sdk-d0', 'sdk', driver('d0'), 60),
  member('sdk-c1', 'sdk', customer('c1'), 90),
  member('sdk-c2', 'sdk', customer('c2'), 120),
  member('raw-c0', 'raw', customer('c0'), 60),
  member('raw-d1', 'raw', driver('d1'), 40),
  member('raw-c3', 'raw', customer('c3'), 100, 'polling'),
  member('raw-d4', 'raw', driver(HANDOVER.from), 120),
  member('raw-d5', 'raw', driver(HANDOVER.to), 120),
  // Says little: who writes has read, and nobody would see a mark that goes back.
  member('raw-c4', 'raw', customer(HANDOVER.customer), 2_000),
  member('second-c1', 'raw', customer('c1'), 0),
  member('second-d1', 'raw', driver('d1'), 0, 'polling'),
];

export const PROCESSES = ['sdk', 'raw'] as const;

export const specFor = (one: CastMember, url: string): ClientSpec => ({
  ...one,
  url,
  token: mintToken(one.person),
});
export const bookingIds: readonly string[] = IDS;
