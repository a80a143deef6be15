import { afterEach, expect, test, vi } from 'vitest';
import { DemoDisabledError, fetchSession, tokenSource } from './session.js';

const session = (tag: string) => ({
  booking_id: 'BK-1',
  driver: { user_id: 'd', name: 'Arjun', token: `driver-${tag}` },
  customer: { user_id: 'c', name: 'Meera', token: `customer-${tag}` },
  booking: { status: 'accepted' },
});
const answers = (body: unknown, status = 200) =>
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), { status })));

afterEach(() => vi.unstubAllGlobals());

test('a session is taken only when it is whole', async () => {
  answers(session('1'));
  expect(await fetchSession()).toEqual(session('1'));
  answers({ ...session('1'), driver: { user_id: 'd' } });
  await expect(fetchSession()).rejects.toThrow('something else');
  answers(null);
  await expect(fetchSession()).rejects.toThrow('something else');
});

test('a server without the demo is told from a server in trouble', async () => {
  answers({}, 404);
  await expect(fetchSession()).rejects.toBeInstanceOf(DemoDisabledError);
  answers({}, 503);
  await expect(fetchSession()).rejects.not.toBeInstanceOf(DemoDisabledError);
});

test('the first connection uses the token of the session, later ones a fresh one of the same person', async () => {
  const token = tokenSource(session('first').customer);
  answers(session('second'));
  expect([await token(), await token()]).toEqual(['customer-first', 'customer-second']);
  answers({ ...session('third'), customer: { user_id: 'x', name: 'X', token: 'not hers' } });
  await expect(token()).rejects.toMatchObject({ code: 'token', retryable: false });
});
