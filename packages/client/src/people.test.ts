import { expect, test } from 'vitest';
import { People } from './people.js';

test('a driver and a customer with one number are two people', () => {
  const people = new People(() => ({ user_id: '7', scope: 'support' }));
  const place = { booking_id: 'B', lat: 1, lng: 2, at: '2026-01-01T00:00:00.000Z' };
  for (const scope of ['driver', 'customer'] as const) {
    people.present({ user_id: '5', scope, online: scope === 'driver', types: [] });
    people.located({ ...place, user_id: '5', scope });
  }
  expect(people.presence.map(({ scope, online }) => [scope, online])).toEqual([
    ['driver', true],
    ['customer', false],
  ]);
  expect(people.locations.map(({ scope }) => scope)).toEqual(['driver', 'customer']);
});
