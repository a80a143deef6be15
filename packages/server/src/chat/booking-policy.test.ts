import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyTableSchema, type PolicyTable } from '../policy-table.js';
import { BookingPolicy, DEFAULT_POLICY, type PolicyFacts } from './booking-policy.js';

const rank = { closed: 0, read_only: 1, open: 2 } as const;
const roles = ['driver', 'customer'] as const;

const word = fc.string({ minLength: 1, maxLength: 12 });
const rule = fc.record({
  driver: fc.constantFrom('send', 'read', 'none'),
  customer: fc.constantFrom('send', 'read', 'none'),
  closing: fc.boolean(),
});
/** zod leaves this key out of what it has read, as is safe: to a policy it is a word that it does not know. */
const known = word.filter((name) => name !== '__proto__');
const tables: fc.Arbitrary<PolicyTable> = fc
  .dictionary(known, rule, { minKeys: 1, maxKeys: 6 })
  .map((statuses) => ({ statuses }));
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const facts = (statuses: string[]): fc.Arbitrary<PolicyFacts> =>
  fc.record({
    status: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...statuses) }, word),
    hasDriver: fc.boolean(),
    closesAt: fc.option(time),
    archivesAt: time,
  });
const cases = tables.chain((table) =>
  fc.record({ table: fc.constant(table), facts: facts(Object.keys(table.statuses)), now: time }),
);

describe('whatever the table', () => {
  test('nobody may more than the table gives them, and nothing without a driver, a known status, or after retention', () => {
    fc.assert(
      fc.property(cases, ({ table, facts: given, now }) => {
        const policy = new BookingPolicy(table);
        const known = Object.hasOwn(table.statuses, given.status) ? table.statuses[given.status] : undefined;
        for (const role of roles) {
          const chat = policy.chatFor(role, given, now);
          if (!known || !given.hasDriver || given.archivesAt <= now || known[role] === 'none')
            expect(chat).toBe('closed');
          else if (known[role] === 'read' || (given.closesAt !== null && given.closesAt <= now))
            expect(chat).toBe('read_only');
          else expect(chat).toBe('open');
        }
      }),
    );
  });

  test('a chat is open until the time that is told beforehand, and not from then on', () => {
    fc.assert(
      fc.property(cases, ({ table, facts: given, now }) => {
        const policy = new BookingPolicy(table);
        for (const role of roles) {
          const untilMs = policy.openUntilMs(role, given);
          expect(policy.chatFor(role, given, now) === 'open').toBe(now.getTime() < untilMs);
          if (!Number.isFinite(untilMs)) continue;
          expect(policy.chatFor(role, given, new Date(untilMs - 1))).toBe('open');
          expect(policy.chatFor(role, given, new Date(untilMs))).not.toBe('open');
        }
      }),
    );
  });

  test('time only takes rights away, and the host sees what the role with most rights sees', () => {
    fc.assert(
      fc.property(cases, time, ({ table, facts: given, now }, other) => {
        const policy = new BookingPolicy(table);
        const [earlier, later] = now <= other ? [now, other] : [other, now];
        for (const role of roles) {
          expect(rank[policy.chatFor(role, given, later)]).toBeLessThanOrEqual(
            rank[policy.chatFor(role, given, earlier)],
          );
        }
        const most = Math.max(...roles.map((role) => rank[policy.chatFor(role, given, now)]));
        expect(rank[policy.chat(given, now)]).toBe(most);
      }),
    );
  });

  test('two statuses with one signature give everybody the same', () => {
    fc.assert(
      fc.property(cases, ({ table, facts: given, now }) => {
        const policy = new BookingPolicy(table);
        for (const status of policy.known) {
          if (policy.signature(status) !== policy.signature(given.status)) continue;
          for (const role of roles) {
            expect(policy.chatFor(role, { ...given, status }, now)).toBe(policy.chatFor(role, given, now));
          }
        }
      }),
    );
  });
});

describe('the default table', () => {
  const policy = new BookingPolicy(DEFAULT_POLICY);
  const at = new Date('2026-06-01T12:00:00.000Z');
  const later = new Date(at.getTime() + 1);
  const open: PolicyFacts = {
    status: 'accepted',
    hasDriver: true,
    closesAt: null,
    archivesAt: new Date('2027-01-01'),
  };

  test('closes at the very millisecond', () => {
    const given = { ...open, status: 'completed', closesAt: later };
    expect(policy.chat(given, at)).toBe('open');
    expect(policy.chat(given, later)).toBe('read_only');
  });

  test('knows its words and no others, prototype names included', () => {
    expect(policy.known).toEqual([
      'pending',
      'accepted',
      'arriving',
      'arrived',
      'in_progress',
      'completed',
      'cancelled',
    ]);
    for (const status of ['', 'constructor', '__proto__', 'ACCEPTED', 'hasOwnProperty']) {
      expect(policy.knows(status)).toBe(false);
      expect(policy.chat({ ...open, status }, at)).toBe('closed');
    }
    expect(policy.known.filter((status) => policy.isClosing(status))).toEqual(['completed', 'cancelled']);
  });

  test('a table that is none is refused', () => {
    for (const wrong of [
      {},
      { statuses: {} },
      { statuses: { a: { driver: 'send' } } },
      { statuses: { a: { driver: 'all', customer: 'none' } } },
      { statuses: { a: { driver: 'send', customer: 'none', x: 1 } } },
    ]) {
      expect(PolicyTableSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
