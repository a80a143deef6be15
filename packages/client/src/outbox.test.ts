import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CurblineError } from './curbline-error.js';
import { Outbox } from './outbox.js';
import { memoryOutbox, type OutboxStore } from './outbox-store.js';

const TIME = '2026-01-01T00:00:00.000Z';
const say = (client_id: string, booking_id = 'B') => ({
  booking_id,
  client_id,
  kind: 'text' as const,
  body: { text: client_id },
  created_at: TIME,
});

interface Tab {
  outbox: Outbox;
  sent: string[];
  errors: string[];
  shown(): string[];
}
const tabs: Tab[] = [];
let store: OutboxStore;

/** A tab that is open on the one store; `answer` is the server. */
const open = async (answer: (clientId: string) => void = () => undefined, on = store): Promise<Tab> => {
  const [sent, errors]: [string[], string[]] = [[], []];
  const outbox = new Outbox(on, {
    send: async ({ client_id, kind, body, created_at }) => {
      sent.push(client_id);
      answer(client_id);
      const sender = { user_id: 'me', scope: 'driver' as const };
      const message = { id: client_id, booking_id: 'B', seq: 1, sender, client_id, kind, body, created_at };
      return { message, duplicate: false };
    },
    stored: () => undefined,
    changed: () => undefined,
    error: ({ code }) => errors.push(code),
  });
  outbox.open('me');
  await outbox.opened();
  const shown = (): string[] =>
    outbox.of('B').map(({ client_id, error }) => (error ? `${client_id} failed` : client_id));
  const tab = { outbox, sent, errors, shown };
  tabs.push(tab);
  return tab;
};

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const refuse = (code: 'invalid' | 'internal') => (): never => {
  throw new CurblineError(code, 'no');
};

beforeEach((context) => {
  store = { ...memoryOutbox(), sharedAs: context.task.id };
});
afterEach(async () => {
  await Promise.all(tabs.splice(0).map(({ outbox }) => outbox.close()));
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a message that another tab discards ends the wait of the tab that said it', async () => {
  const [one, other] = [await open(), await open()];
  const fate = outcome(one.outbox.add(say('a')));
  await vi.waitFor(() => expect(other.shown()).toEqual(['a']));
  await other.outbox.discard('a');
  expect(await fate).toMatchObject({ code: 'closed' });
  expect(one.shown()).toEqual([]);
});

test('a tab that takes over learns from the store what it was not told', async () => {
  vi.stubGlobal('BroadcastChannel', undefined);
  const one = await open();
  const fates = ['a', 'b', 'c'].map((id) => outcome(one.outbox.add(say(id))));
  await vi.waitFor(async () => expect(await store.load('me')).toHaveLength(3));
  const other = await open(refuse('invalid'));
  await other.outbox.discard('a');
  other.outbox.resume();
  await vi.waitFor(() => expect(other.shown()).toEqual(['b failed', 'c failed']));
  other.outbox.suspend();
  one.outbox.resume();
  expect(await fates[1]).toMatchObject({ code: 'invalid' });
  expect(await fates[2]).toMatchObject({ code: 'invalid' });
  expect(await fates[0]).toMatchObject({ code: 'closed' });
  expect(one.shown()).toEqual(['b failed', 'c failed']);
  expect(one.sent).toEqual([]);
});

test('without locks too, what a closed tab left is sent by the one that stays', async () => {
  vi.stubGlobal('navigator', {});
  const [one, other] = [await open(), await open()];
  void one.outbox.add(say('a'));
  await vi.waitFor(() => expect(other.shown()).toEqual(['a']));
  await one.outbox.close();
  other.outbox.resume();
  await vi.waitFor(() => expect(other.shown()).toEqual([]));
  expect(other.sent).toEqual(['a']);
});

test('a tab that has to wait for its turn again sends nothing meanwhile', async () => {
  const [one, other] = [await open(), await open()];
  one.outbox.resume();
  await one.outbox.add(say('a'));
  other.outbox.resume();
  one.outbox.resume();
  await one.outbox.add(say('b', 'another booking'));
  expect([one.sent, other.sent]).toEqual([['a'], ['b']]);
});

test('what is discarded while the store is read does not come back', async () => {
  let read!: () => void;
  const slow = {
    ...store,
    load: async (owner: string) => {
      const entries = await store.load(owner);
      if (entries.length > 0) await new Promise<void>((resolve) => void (read = resolve));
      return entries;
    },
  };
  const tab = await open(refuse('invalid'), slow);
  void tab.outbox.add(say('a'));
  await vi.waitFor(async () => expect(await store.load('me')).toHaveLength(1));
  tab.outbox.resume();
  await vi.waitFor(() => expect(read).toBeDefined());
  await tab.outbox.discard('a');
  read();
  await new Promise(setImmediate);
  expect(tab.shown()).toEqual([]);
});

test('a message at which the server fails again and again is given up, and the next one is sent', async () => {
  vi.useFakeTimers();
  const poison = (id: string): void => void (id === 'a' && refuse('internal')());
  const tab = await open(poison, memoryOutbox());
  tab.outbox.resume();
  const fates = ['a', 'b'].map((id) => outcome(tab.outbox.add(say(id))));
  await vi.advanceTimersByTimeAsync(200_000);
  expect(await fates[0]).toMatchObject({ code: 'internal', retryable: true });
  expect(await fates[1]).toMatchObject({ message: { client_id: 'b' } });
  expect(tab.shown()).toEqual(['a failed']);
  expect(tab.errors).toEqual(['internal']);
  expect(tab.sent).toHaveLength(11);
});

test('what could not be loaded at first is loaded when the store works again, and goes first', async () => {
  const before = memoryOutbox();
  for (const id of ['a', 'b']) await before.put({ ...say(id), owner: 'me' });
  let broken = true;
  const flaky = {
    ...before,
    load: async (owner: string) => {
      if (broken) throw new Error('in use');
      return before.load(owner);
    },
  };
  const tab = await open(undefined, flaky);
  expect(tab.errors).toEqual(['storage']);
  tab.outbox.resume();
  await vi.waitFor(() => expect(tab.errors).toEqual(['storage', 'storage']));
  broken = false;
  await tab.outbox.add(say('c'));
  expect(tab.sent).toEqual(['a', 'b', 'c']);
});
