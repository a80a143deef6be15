import { CurblineError } from '@curbline/client';

/** One of the two people of the demo booking, with a token that speaks for them. */
export interface DemoPerson {
  readonly user_id: string;
  readonly name: string;
  readonly token: string;
}

/** What `/demo/session` answers: the host's part, which on a real site the host's own backend does. */
export interface DemoSession {
  readonly booking_id: string;
  readonly driver: DemoPerson;
  readonly customer: DemoPerson;
  readonly booking: { readonly status: string };
}

/** The demo is not served here: a production server has no such route. */
export class DemoDisabledError extends Error {}

const TIMEOUT_MS = 8_000;

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status === 404) throw new DemoDisabledError();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

const isPerson = (value: unknown): value is DemoPerson =>
  isObject(value) && ['user_id', 'name', 'token'].every((key) => typeof value[key] === 'string');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function parseSession(value: unknown): DemoSession {
  if (
    isObject(value) &&
    typeof value['booking_id'] === 'string' &&
    isPerson(value['driver']) &&
    isPerson(value['customer']) &&
    isObject(value['booking']) &&
    typeof value['booking']['status'] === 'string'
  ) {
    // Every field that the type names was looked at above.
    return value as unknown as DemoSession;
  }
  throw new Error('/demo/session answered something else than a session');
}

export const fetchSession = async (): Promise<DemoSession> =>
  parseSession(await (await ask('/demo/session')).json());

export const newSession = async (): Promise<DemoSession> =>
  parseSession(await (await ask('/demo/session?new=1', { method: 'POST' })).json());

export async function changeStatus(bookingId: string, status: string): Promise<void> {
  await ask('/demo/status', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ booking_id: bookingId, status }),
  });
}

/**
 * A token source for the SDK: the token of the session first, a fresh one for each later connection.
 * The host may have moved on to another pair meanwhile; a token of somebody else is never used.
 */
export function tokenSource(person: DemoPerson): () => Promise<string> {
  let first: string | undefined = person.token;
  return async () => {
    if (first !== undefined) {
      const token = first;
      first = undefined;
      return token;
    }
    const session = await fetchSession();
    const fresh = [session.driver, session.customer].find(({ user_id }) => user_id === person.user_id);
    if (fresh === undefined) throw new CurblineError('token', 'The demo has gone on with other people');
    return fresh.token;
  };
}
