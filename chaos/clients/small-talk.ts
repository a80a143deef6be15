import type { Random } from '../rig/random.ts';

type Request = [cmd: string, payload: Record<string, unknown>];

/** What an app asks beside messages: marks, typing, positions, lists, a token. */
export function smallTalk(random: Random, booking_id: string, position: number, token: string): Request {
  const mark: Request = [
    'receipt.mark',
    { booking_id, read_seq: Math.max(0, position - random.whole(0, 30)) },
  ];
  const others: Request[] = [
    ['typing.set', { booking_id, typing: random.chance(0.5) }],
    ['location.share', { booking_id, lat: 180 * random.next() - 90, lng: 360 * random.next() - 180 }],
    ['booking.list', random.chance(0.5) ? {} : { open_only: true, limit: 1 + random.whole(0, 5) }],
    ['token.refresh', { token }],
  ];
  return random.chance(0.4) ? mark : random.pick(others);
}
