import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { SocketActor } from './actor.js';

test('what an actor remembers is neither copied nor printed: hosts log `socket.user`', () => {
  const told = {
    scope: 'driver',
    user_id: 'd1',
    type: 'flutter',
    socketId: 'socket-1',
    cameAtMs: 12,
    name: 'Asha',
  } as const;
  const actor = new SocketActor(told);
  const seat: Record<string, unknown> = {};
  seat['itself'] = seat;
  actor.lastSeat = seat;
  expect(actor.lastSeat).toBe(seat);
  const shown = { key: 'driver:d1', ...told };
  expect(JSON.parse(JSON.stringify(actor))).toEqual(shown);
  expect(Object.assign({}, actor)).toEqual(shown);
  expect(inspect(actor, { depth: 5 })).not.toContain('itself');
});
