import type { ConnectionObject, MessageObject } from '@curbline/contract';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { leaveOut } from './harness/left-out.js';
import { Person } from './harness/people.js';
import { postgresUrl } from './harness/reachable.js';
import { TestServer } from './harness/server.js';

const url = await postgresUrl();
if (url === undefined) leaveOut('the stories on a PostgreSQL server', 'none answers at 127.0.0.1:5432');

const KEYS = {
  CURBLINE_TOKEN_SECRET: randomBytes(32).toString('hex'),
  CURBLINE_API_KEYS: randomBytes(16).toString('hex'),
};

describe.skipIf(url === undefined)('on a PostgreSQL server', () => {
  const name = `curbline_test_${randomBytes(6).toString('hex')}`;
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  /** One column of what PostgreSQL counts of this database. */
  const statistics = async (sql: string): Promise<string[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ value: string }>(sql, [name]);
    await client.end();
    return rows.map(({ value }) => value);
  };
  let nodes: TestServer[] = [];

  beforeAll(async () => {
    await admin(`CREATE DATABASE ${name}`);
    const database = new URL(url ?? '');
    database.pathname = `/${name}`;
    const env = { ...KEYS, CURBLINE_DATABASE_URL: database.href };
    // All at once on an empty database: one migrates, the others wait for it.
    nodes = await Promise.all([1, 2, 3].map(() => TestServer.start(env)));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await admin(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  test('people on different nodes have one connection and one log: gapless, each client_id once', async () => {
    const [first, second] = nodes;
    if (!first || !second) throw new Error('the nodes run');
    const id = await first.booking();
    const driver = await Person.connect(first, await first.token('driver', `${id}-driver`));
    const customer = await Person.connect(second, await second.token('customer', `${id}-customer`));
    const joined = await Promise.all(
      [driver, customer].map((person) =>
        person.data<ConnectionObject>('connection-established', { booking_id: id }),
      ),
    );
    expect(new Set(joined.map((view) => view.response)).size).toBe(1);

    const sends = Array.from({ length: 100 }, (_, index) => ({
      client_id: crypto.randomUUID(),
      text: `m${index}`,
    }));
    const answers = await Promise.all(
      sends.flatMap(({ client_id, text }, index) => {
        const person = index % 2 === 0 ? driver : customer;
        return [person.send(id, text, client_id), person.send(id, text, client_id)];
      }),
    );
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(sends.length);

    for (const node of nodes) {
      const { body } = await node.rest<{ data: MessageObject[] }>(
        'GET',
        `/v1/bookings/${id}/messages?after_seq=0&limit=200`,
      );
      expect(body.data.map(({ seq }) => seq)).toEqual(sends.map((_, index) => index + 1));
      expect(body.data.map(({ client_id }) => client_id).toSorted()).toEqual(
        sends.map(({ client_id }) => client_id).toSorted(),
      );
    }
    for (const person of [driver, customer]) person.leave();
  });

  test('a repeat is no error for PostgreSQL: on the same socket, and from who comes back to another node', async () => {
    const [first, second] = nodes;
    if (!first || !second) throw new Error('the nodes run');
    const id = await first.booking();
    const token = await first.token('driver', `${id}-driver`);
    const rolledBack = async (): Promise<number> =>
      Number(
        (await statistics('SELECT xact_rollback AS value FROM pg_stat_database WHERE datname = $1')).at(0),
      );
    const phone = await Person.connect(first, token);
    const elsewhere = await Person.connect(second, token);
    for (const each of [phone, elsewhere]) await each.data('connection-established', { booking_id: id });
    const texts = Array.from({ length: 30 }, () => crypto.randomUUID());
    const sendAll = async (person: Person) =>
      Promise.all(texts.map((text) => person.send(id, text, text))).then((answers) =>
        answers.map(({ duplicate, message }) => ({ duplicate, seq: message.seq })),
      );
    const before = await rolledBack();
    const kept = await sendAll(phone);
    expect(kept.every(({ duplicate }) => !duplicate)).toBe(true);
    const again = kept.map(({ seq }) => ({ duplicate: true, seq }));
    expect(await sendAll(phone)).toEqual(again);
    for (const text of texts.slice(0, 3)) expect((await phone.send(id, text, text)).duplicate).toBe(true);
    expect(await sendAll(elsewhere)).toEqual(again);

    // Nobody sends again what another node kept on a socket that he has had for long. Whoever does is answered the same, for one error each.
    await sleep(5_500);
    const last = crypto.randomUUID();
    const one = await phone.send(id, last, last);
    const other = await elsewhere.send(id, last, last);
    expect(other).toEqual({ message: one.message, duplicate: true });
    await vi.waitFor(async () => expect(await rolledBack()).toBeGreaterThan(before), { timeout: 15_000 });
    expect(await rolledBack()).toBe(before + 1);
    for (const each of [phone, elsewhere]) each.leave();
  });

  test('the same message sent to two nodes at once is kept once, and costs neither of them its connection to the log', async () => {
    const [first, second] = nodes;
    if (!first || !second) throw new Error('the nodes run');
    const id = await first.booking();
    const phones = await Promise.all(
      [first, second].map(async (node) => Person.connect(node, await node.token('driver', `${id}-driver`))),
    );
    for (const phone of phones) await phone.data('connection-established', { booking_id: id });
    /** Who writes the log, and since when. */
    const writers = async (): Promise<string[]> =>
      statistics(
        "SELECT pid || ' ' || backend_start AS value FROM pg_stat_activity WHERE datname = $1 AND application_name = 'curbline-write' ORDER BY 1",
      );
    const conflicts = async (): Promise<number> =>
      Number(
        (await statistics('SELECT xact_rollback AS value FROM pg_stat_database WHERE datname = $1')).at(0),
      );
    // Both have one by now.
    for (const phone of phones) await phone.send(id, 'the first word');
    const before = await writers();
    const rolledBack = await conflicts();
    let sent = 0;
    // Until they have met often enough: each time a batch of several, in the same order, on both nodes.
    for (let round = 0; round < 400 && (await conflicts()) < rolledBack + 5; round += 1) {
      const texts = Array.from({ length: 6 }, () => crypto.randomUUID());
      const answers = await Promise.all(
        phones.map((phone) => Promise.all(texts.map((text) => phone.send(id, text, text)))),
      );
      for (const [index] of texts.entries()) {
        const both = answers.map((each) => each[index]);
        expect(both.filter((answer) => answer?.duplicate === true)).toHaveLength(1);
        expect(new Set(both.map((answer) => answer?.message.seq)).size).toBe(1);
      }
      sent += texts.length;
    }
    expect(await conflicts()).toBeGreaterThanOrEqual(rolledBack + 5);
    expect(await writers()).toEqual(before);
    const { body } = await first.rest<{ data: MessageObject[] }>(
      'GET',
      `/v1/bookings/${id}/messages?limit=1`,
    );
    expect(body.data[0]?.seq).toBe(sent + 2);
    for (const phone of phones) phone.leave();
  });
});
