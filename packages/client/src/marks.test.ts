import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CurblineError } from './curbline-error.js';
import { Marks } from './marks.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a mark that the server could not take for a while is told with the next one, or when asked again', async () => {
  let away = true;
  const told: unknown[] = [];
  const marks = new Marks(
    async ({ delivered_seq = 0, read_seq = 0 }) => {
      if (away) throw new CurblineError('unavailable', 'The store cannot be reached.');
      told.push({ delivered_seq, read_seq });
      return { delivered_seq, read_seq };
    },
    () => undefined,
  );
  const refused = marks.want({ read_seq: 3 }).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  expect(await refused).toMatchObject({ code: 'unavailable' });
  away = false;
  const again = marks.want();
  await vi.runAllTimersAsync();
  await again;
  expect(told).toEqual([{ delivered_seq: 3, read_seq: 3 }]);
  await marks.want();
  expect(told, 'what the server knows is not told again').toHaveLength(1);
});

test('a mark that was refused is not asked for again', async () => {
  let asked = 0;
  const marks = new Marks(
    async () => {
      asked += 1;
      throw new CurblineError('chat_closed', 'The chat is closed.');
    },
    () => undefined,
  );
  const refused = marks.want({ read_seq: 3 }).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  expect(await refused).toMatchObject({ code: 'chat_closed' });
  await marks.want();
  expect(asked).toBe(1);
});
