import type { MessageObject } from '@curbline/contract';
import { readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

/** What the contract's users may count on, and what a loaded test machine adds. */
const UNAVAILABLE_WITHIN_MS = 2_000 + 500;
const BACK_WITHIN_MS = 3_000 + 2_000;

let server: TestServer;
let database: pg.Client;
let booking_id: string;
let driver: Person;
let customer: Person;

beforeAll(async () => {
  server = await TestServer.start();
  ({ booking_id, driver, customer } = await pair(server));
  await driver.send(booking_id, 'before any fault');
});
beforeEach(async () => {
  database = await embeddedClient(server.dataDir);
  // The postmaster is killed in some of these: that must not end the test too.
  database.on('error', () => undefined);
});
// A lock that a failed test leaves behind ends with its connection.
afterEach(() => database.end());
afterAll(async () => {
  driver.leave();
  customer.leave();
  await server.stop();
});

const text = (words: string, client_id: string = crypto.randomUUID()) => ({
  booking_id,
  client_id,
  kind: 'text',
  body: { text: words },
});

const log = async () => {
  const { messages } = await customer.data<{ messages: MessageObject[] }>('message.list', {
    booking_id,
    limit: 200,
  });
  return messages.map((message) => (message.body as { text: string }).text);
};
const shown = (person: Person) =>
  person
    .told<{ message: MessageObject }>('message.created')
    .map(({ message }) => (message.body as { text: string }).text);

/** Sends from both while the store cannot keep anything: errors only, in time, and nobody is told. */
async function nothingIsKept(words: string, codes: string[]): Promise<Record<string, unknown>[]> {
  const sends = [driver, customer, driver, customer].map(
    (person, index) => [person, text(`${words} ${index}`)] as const,
  );
  await Promise.all(
    sends.map(async ([person, payload]) => {
      const from = performance.now();
      const error = await person.error('message.send', payload);
      expect(codes).toContain(error.code);
      expect(performance.now() - from).toBeLessThan(UNAVAILABLE_WITHIN_MS);
      expect(error.retryable).toBe(true);
      expect(JSON.stringify(error)).not.toMatch(/messages|INSERT|relation|trigger|timeout|at .+:\d+/);
      return payload;
    }),
  );
  for (const person of [driver, customer]) expect(shown(person).join()).not.toContain(words);
  return sends.map(([, payload]) => payload);
}

/** Afterwards the same sends are kept, once, and shown. */
async function everythingWorks(refused: Record<string, unknown>[]): Promise<void> {
  for (const [index, payload] of refused.entries()) {
    const person = index % 2 === 0 ? driver : customer;
    const sent = await person.data<{ message: MessageObject; duplicate: boolean }>('message.send', payload);
    const other = person === driver ? customer : driver;
    await other.hears<{ message: MessageObject }>(
      'message.created',
      (told) => told.message.id === sent.message.id,
    );
  }
  const texts = await log();
  for (const payload of refused) {
    const words = (payload['body'] as { text: string }).text;
    expect(texts.filter((stored) => stored === words)).toHaveLength(1);
    expect(shown(driver).filter((one) => one === words).length).toBeLessThanOrEqual(1);
  }
  expect(driver.socket.connected && customer.socket.connected).toBe(true);
}

const health = async () => {
  const [ready, live] = await Promise.all(
    ['ready', 'live'].map(async (name) => (await fetch(`${server.url}/health/${name}`)).status),
  );
  return { ready, live };
};

test('while the messages table is locked there is neither an ack with data nor a delivery', async () => {
  await database.query('BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE');
  const refused = await nothingIsKept('locked', ['unavailable']);
  const waiting = driver.ask<{ message: MessageObject }>('message.send', text('waits for the lock'));
  let answered = false;
  void waiting.then(() => (answered = true));
  // The locking transaction itself sees others as they were when it first looked.
  const watcher = await embeddedClient(server.dataDir);
  await until('the send waits in the database', async () => {
    const { rows } = await watcher.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return rows.length > 0;
  });
  await watcher.end();
  expect(answered).toBe(false);
  expect(shown(customer)).not.toContain('waits for the lock');
  await database.query('ROLLBACK');
  const answer = await waiting;
  if (answer.data) {
    await customer.hears<{ message: MessageObject }>(
      'message.created',
      (told) => told.message.id === answer.data?.message.id,
    );
  } else {
    expect(answer.error.code).toBe('unavailable');
  }
  await everythingWorks(refused);
});

test('while every INSERT fails, senders hear an error and nobody is shown a message', async () => {
  await database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk says no'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse();`);
  const before = await log();
  const refused = await nothingIsKept('refused', ['unavailable', 'internal']);
  expect(await log()).toEqual(before);
  await database.query('DROP TRIGGER refuse ON messages; DROP FUNCTION refuse()');
  await everythingWorks(refused);
});

test('one bad row in a batch fails alone: the sends beside it are kept', async () => {
  await database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.body LIKE '%poison%' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse();`);
  const words = Array.from({ length: 20 }, (_, index) =>
    index % 5 === 0 ? `poison ${index}` : `good ${index}`,
  );
  const answers = await Promise.all(
    words.map((one) => driver.ask<{ message: MessageObject }>('message.send', text(one))),
  );
  expect(answers.map((answer) => answer.error?.code)).toEqual(
    words.map((one) => (one.startsWith('poison') ? 'internal' : undefined)),
  );
  await customer.hears<{ message: MessageObject }>(
    'message.created',
    ({ message }) => (message.body as { text: string }).text === 'good 19',
  );
  expect(shown(customer).filter((one) => one.startsWith('poison'))).toEqual([]);
  const { body } = await server.rest<{ data: MessageObject[]; last_seq: number }>(
    'GET',
    `/v1/bookings/${booking_id}/messages?limit=200`,
  );
  expect(body.data.map((message) => message.seq)).toEqual(
    Array.from({ length: body.last_seq }, (_, index) => index + 1),
  );
  await database.query('DROP TRIGGER refuse ON messages; DROP FUNCTION refuse()');
});

/** The postmaster first, then everything that it started. */
async function postgresPids(): Promise<number[]> {
  const entries = await readdir(server.dataDir, { recursive: true });
  const file = entries.find((entry) => entry.endsWith('postmaster.pid'));
  const postmaster = Number((await readFile(join(server.dataDir, file ?? ''), 'utf8')).split('\n')[0]);
  const children: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === postmaster)
      children.push(Number(name));
  }
  return [postmaster, ...children];
}

/** Whether a process has ended; one that nobody collects has no folder any more. */
function isGone(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/cwd`);
    return false;
  } catch {
    return true;
  }
}

/** However much one person or the host asks at once: nobody waits in a queue behind those who wait for the store. */
async function everythingIsUnavailable(): Promise<void> {
  const inTime = async (what: string, answer: Promise<{ code?: unknown; retryable?: unknown }>) => {
    const from = performance.now();
    expect(await answer, what).toMatchObject({ code: 'unavailable', retryable: true });
    expect(performance.now() - from, what).toBeLessThan(UNAVAILABLE_WITHIN_MS);
  };
  const several = Array.from({ length: 12 }, (_, n) => ({ booking_id: `${booking_id}-${n}`, after_seq: 0 }));
  await inTime(
    'sync of several',
    driver.error('sync', { bookings: [{ booking_id, after_seq: 0 }, ...several] }),
  );
  const path = `/v1/bookings/${booking_id}`;
  const calls: [string, string, object?][] = [
    ['GET', path],
    ['GET', '/v1/bookings'],
    [
      'PUT',
      path,
      { driver: { id: 'another' }, customer: { id: `${booking_id}-customer` }, status: 'arriving' },
    ],
    ['PATCH', path, { status: 'arriving' }],
    ['POST', `${path}/messages`, { kind: 'system', body: { text: 'hung' } }],
  ];
  const reads = Array.from({ length: 10 }, () =>
    inTime('read', driver.error('message.list', { booking_id })),
  );
  await Promise.all([
    ...reads,
    ...calls.map(([method, to, body]) =>
      inTime(
        `${method} ${to}`,
        server.rest(method, to, body).then((answer) => {
          expect(answer.status).toBe(503);
          return answer.body;
        }),
      ),
    ),
  ]);
}

test.skipIf(process.platform !== 'linux')(
  'while PostgreSQL hangs, answers are unavailable in time, the sockets stay, and the node says it is not ready',
  async () => {
    const pids = await postgresPids();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      const refused = nothingIsKept('hung', ['unavailable']);
      await until('not ready', async () => (await health()).ready === 503);
      expect(await health()).toEqual({ ready: 503, live: 200 });
      for (const command of ['booking.join', 'message.list', 'booking.list']) {
        const from = performance.now();
        const error = await driver.error(command, command === 'booking.list' ? {} : { booking_id });
        expect(error.code, command).toBe('unavailable');
        expect(performance.now() - from).toBeLessThan(UNAVAILABLE_WITHIN_MS);
      }
      await everythingIsUnavailable();
      const stranger = Person.connect(server, await server.token('customer', 'a-new-one'));
      await expect(stranger).rejects.toMatchObject({ data: { error: { code: 'unavailable' } } });
      const payloads = await refused;
      for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT');
      await until('ready again', async () => (await health()).ready === 200, BACK_WITHIN_MS);
      await everythingWorks(payloads);
    } finally {
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGCONT');
        } catch (error) {
          // A connection that was given up ended meanwhile.
          expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
        }
      }
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'when PostgreSQL is killed it comes back by itself, with every acked message',
  async () => {
    const before = await log();
    const pids = await postgresPids();
    const [postmaster] = pids;
    process.kill(postmaster ?? 0, 'SIGKILL');
    // Those who serve a connection outlive it for a moment, and would answer as if nothing had been.
    await until('none of the old ones runs', () => pids.every(isGone), BACK_WITHIN_MS);
    await until(
      'a send is kept again',
      async () => {
        const answer = await driver.ask('message.send', text('after the kill'));
        if (answer.error) expect(answer.error.code).toBe('unavailable');
        return answer.data !== undefined;
      },
      BACK_WITHIN_MS,
    );
    await until('ready again', async () => (await health()).ready === 200, BACK_WITHIN_MS);
    expect((await log()).slice(0, before.length)).toEqual(before);
    expect(driver.socket.connected && customer.socket.connected).toBe(true);
    expect(await log()).toContain('after the kill');
  },
);
