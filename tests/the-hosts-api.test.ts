import type { BookingView, ErrorObject, MessageObject } from '@curbline/contract';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedClient } from './harness/database.js';
import { pair, Person } from './harness/people.js';
import { TestServer } from './harness/server.js';

type Problem = ErrorObject & { type: string; title: string; status: number; detail: string };
interface List<T> {
  data: T[];
  next_cursor: string | null;
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const at = (id: string) => `/v1/bookings/${encodeURIComponent(id)}`;
const newId = () => `b-${crypto.randomUUID()}`;
const put = (id: string, change: object = {}) =>
  server.rest<BookingView & Problem>('PUT', at(id), {
    driver: { id: `${id}-d` },
    customer: { id: `${id}-c` },
    status: 'accepted',
    ...change,
  });

/** Every error has one shape. */
async function expectProblem(
  answer: Promise<{ status: number; headers: Headers; body: unknown }>,
  status: number,
  code: string,
) {
  const { status: got, headers, body } = await answer;
  const given = body as Problem;
  expect(given).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    code,
    message: expect.any(String),
    retryable: status === 429 || status >= 500,
    request_id: expect.any(String),
  });
  expect(got).toBe(status);
  expect(headers.get('content-type')).toContain('application/problem+json');
  if (code === 'invalid') {
    expect(given.details).toEqual(
      expect.arrayContaining([{ path: expect.any(String), message: expect.any(String) }]),
    );
  }
  return given;
}
const expectInvalidAt = async (answer: ReturnType<TestServer['rest']>, path: string) => {
  const { details } = await expectProblem(answer, 400, 'invalid');
  expect((details as { path: string }[]).map((detail) => detail.path)).toContain(path);
};

test('PUT creates with 201, replaces with 200, and answers what GET answers', async () => {
  const id = newId();
  const driver = {
    id: `${id}-d`,
    name: 'Arjun',
    avatar_url: 'https://example.org/a.png',
    vehicle: { make: 'Maruti', model: 'Dzire', color: 'white', plate: 'DL 1' },
    rating: 4.9,
    locale: 'hi',
    phone: '+91 98',
  };
  const created = await put(id, { driver, metadata: { fare: { amount: 12 } } });
  expect(created.status).toBe(201);
  expect(created.body).toEqual({
    booking_id: id,
    status: 'accepted',
    chat: 'open',
    connection_id: null,
    driver: { ...driver, connection_id: null },
    customer: { id: `${id}-c`, connection_id: null },
    participants: [
      { user_id: `${id}-d`, scope: 'driver', from_seq: 1, delivered_seq: 0, read_seq: 0 },
      { user_id: `${id}-c`, scope: 'customer', from_seq: 1, delivered_seq: 0, read_seq: 0 },
    ],
    last_seq: 0,
    metadata: { fare: { amount: 12 } },
  });
  const again = await put(id, { driver });
  expect(again).toMatchObject({ status: 200, body: { metadata: {}, driver } });
  expect((await server.rest('GET', at(id))).body).toEqual(again.body);
  const patched = await server.rest<BookingView>('PATCH', at(id), { status: 'arriving', metadata: { a: 1 } });
  expect(patched).toMatchObject({ status: 200, body: { status: 'arriving', metadata: { a: 1 }, driver } });
  await expectProblem(server.rest('GET', at(newId())), 404, 'not_found');
  await expectProblem(server.rest('PATCH', at(newId()), { status: 'arriving' }), 404, 'not_found');
});

test('ids in paths hold anything that is percent-encoded', async () => {
  const ids = [
    'a/b/../c',
    'with space',
    'ünïcødé 🚕',
    '100%',
    '?x=1&y#z',
    '.',
    '..',
    '__proto__',
    '%2F',
    'a+b',
    '\u{1f696}'.repeat(128),
    "'; DROP TABLE messages; --",
  ];
  for (const id of ids) {
    // fetch resolves dots in a path even when they are encoded: they are sent as they are.
    const path = id === '.' || id === '..' ? undefined : at(id);
    if (path === undefined) continue;
    const { status, body } = await server.rest<BookingView>('PUT', path, {
      driver: null,
      customer: { id: `c of ${id.slice(0, 20)}` },
      status: 'pending',
    });
    expect(status, id).toBe(201);
    expect(body.booking_id).toBe(id);
    expect((await server.rest('GET', path)).body).toEqual(body);
    expect((await server.rest('GET', `${path}/messages`)).body).toMatchObject({ data: [], last_seq: 0 });
  }
  await expectInvalidAt(server.rest('GET', at('x'.repeat(129))), 'booking_id');
  await expectInvalidAt(server.rest('GET', '/v1/bookings/a%00b'), 'booking_id');
  await expectProblem(server.rest('GET', '/v1/bookings/%E0%A4%A'), 400, 'invalid');
  await expectProblem(server.rest('GET', '/v1/bookings/%FF'), 400, 'invalid');
});

test('every error is a problem: keys, unknown routes and methods, malformed and too large bodies', async () => {
  for (const authorization of ['', 'Bearer wrong-key-of-sixteen', 'Basic dXNlcjpwYXNz', 'Bearer ']) {
    for (const path of ['/v1/bookings', at('x'), '/v1/users/driver/x/sessions']) {
      const method = path.endsWith('sessions') ? 'DELETE' : 'GET';
      await expectProblem(server.rest(method, path, undefined, { authorization }), 401, 'unauthenticated');
    }
  }
  for (const [method, path] of [
    ['GET', '/v1/nothing'],
    ['DELETE', '/v1/bookings'],
    ['POST', at('x')],
    ['GET', '/'],
    ['GET', '/v1'],
    ['PUT', '/v1/tokens'],
  ] as const) {
    await expectProblem(server.rest(method, path), 404, 'not_found');
  }
  for (const body of ['{', '{"a":', 'nonsense', '[]', '"x"', '7', 'null', '', '{"__proto__":{}}']) {
    await expectProblem(server.rest('PUT', at('malformed'), body), 400, 'invalid');
  }
  await expectProblem(server.rest('POST', '/v1/tokens'), 400, 'invalid');
  await expectProblem(
    server.rest('POST', '/v1/tokens', 'x=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    400,
    'invalid',
  );
  const large = JSON.stringify({ status: 'x'.repeat(1_050_000) });
  await expectProblem(server.rest('PUT', at('large'), large), 413, 'too_large');
  const plain = server.rest('PUT', at('large'), large, { 'content-type': 'text/plain' });
  await expectProblem(plain, 413, 'too_large');
  const foreign = server.rest('PUT', at('x'), '{}', { 'content-type': 'application/json; charset=latin-7' });
  expect(await expectProblem(foreign, 415, 'unsupported')).toHaveProperty('title');
});

test('a body that breaks off leaves the server whole', async () => {
  const url = new URL(server.url + at('broken'));
  const { api_key } = await server.keys();
  const call = request(url, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${api_key}`,
      'content-type': 'application/json',
      'content-length': '1000',
    },
  });
  const ended = new Promise((resolve) => call.once('close', resolve).once('error', resolve));
  call.write('{"driver":');
  call.destroy();
  await ended;
  expect((await server.rest('GET', '/health/ready')).status).toBe(200);
});

test('what never becomes a request is a problem too, and closes its connection', async () => {
  const { hostname, port } = new URL(server.url);
  const answerTo = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.on('close', () => resolve(heard)).on('error', reject);
    });
  const cases: [number, string][] = [
    [400, 'nonsense\r\n\r\n'],
    [400, 'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc'],
    [431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
    [408, 'GET / HTTP/1.1\r\nX-Half: '],
  ];
  await Promise.all(
    cases.map(async ([status, text]) => {
      const [head = '', body = ''] = (await answerTo(text)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n`));
      expect(head).toMatch(/connection: close/i);
      const headers = new Headers({ 'content-type': /content-type: (.*)/i.exec(head)?.[1] ?? '' });
      await expectProblem(Promise.resolve({ status, headers, body: JSON.parse(body) }), status, 'invalid');
    }),
  );
  // A good request, then nonsense on the same connection: the first answer stays whole.
  const both = await answerTo('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n');
  expect(both).toMatch(/^HTTP\/1\.1 (200|400) /);
  expect((await server.rest('GET', '/health/ready')).status).toBe(200);
});

test('fields that are unknown, missing or wrong are named', async () => {
  const id = newId();
  await expectInvalidAt(put(id, { extra: 1 }), 'extra');
  await expectInvalidAt(put(id, { customer: undefined }), 'customer');
  await expectInvalidAt(put(id, { driver: { id: 'd', nickname: 'x' } }), 'driver.nickname');
  await expectInvalidAt(put(id, { driver: { id: '' } }), 'driver.id');
  await expectInvalidAt(put(id, { driver: { id: 'd', rating: 5.1 } }), 'driver.rating');
  await expectInvalidAt(
    put(id, { driver: { id: 'd', avatar_url: 'javascript:alert(1)' } }),
    'driver.avatar_url',
  );
  await expectInvalidAt(put(id, { driver: { id: 'd', vehicle: { wheels: 4 } } }), 'driver.vehicle.wheels');
  await expectInvalidAt(put(id, { metadata: { text: 'x'.repeat(4_096) } }), 'metadata');
  await expectInvalidAt(put(id, { metadata: { text: '\u0000' } }), 'metadata');
  await expectInvalidAt(put(id, { metadata: [] }), 'metadata');
  await expectInvalidAt(server.rest('PATCH', at(id), { nothing: true }), 'nothing');
  await expectProblem(server.rest('PATCH', at(id), {}), 400, 'invalid');
  await expectProblem(server.rest('GET', at(id)), 404, 'not_found');
  const exact = { text: 'x'.repeat(4_096 - '{"text":""}'.length) };
  expect((await put(id, { metadata: exact })).body.metadata).toEqual(exact);
});

test('a PATCH of a booking that does not exist keeps nothing of the people in it', async () => {
  const [id, driver] = [newId(), newId()];
  await expectProblem(server.rest('PATCH', at(id), { driver: { id: driver } }), 404, 'not_found');
  const database = await embeddedClient(server.dataDir);
  const { rows } = await database.query('SELECT 1 FROM drivers WHERE id = $1', [driver]);
  await database.end();
  expect(rows).toEqual([]);
});

test('a query that no route takes is refused, after the key is', async () => {
  const id = newId();
  await put(id);
  await expectInvalidAt(server.rest('GET', `${at(id)}?foo=1`), 'foo');
  await expectInvalidAt(server.rest('GET', `${at(id)}?__proto__=1`), '__proto__');
  await expectInvalidAt(server.rest('PATCH', `${at(id)}?dry=1`, { status: 'arrived' }), 'dry');
  await expectInvalidAt(
    server.rest('POST', '/v1/tokens?ttl_s=1', { user_id: 'u', scope: 'driver' }),
    'ttl_s',
  );
  await expectInvalidAt(server.rest('DELETE', '/v1/users/driver/u/sessions?all=1'), 'all');
  await expectInvalidAt(server.rest('GET', '/v1/canned?lang=en'), 'lang');
  const without = { authorization: 'Bearer none' };
  await expectProblem(server.rest('GET', `${at(id)}?foo=1`, undefined, without), 401, 'unauthenticated');
  // Probes add what keeps a cache away.
  expect((await server.rest('GET', '/health/live?t=1')).status).toBe(200);
});

test('a status that the policy does not know is invalid, with the known ones in details', async () => {
  const id = newId();
  await put(id);
  const answers = [
    put(id, { status: 'teleported' }),
    server.rest('PATCH', at(id), { status: 'constructor' }),
    server.rest('GET', '/v1/bookings?status=x'),
  ];
  for (const answer of answers) {
    const { details } = await expectProblem(answer, 400, 'invalid');
    expect(JSON.stringify(details)).toMatch(
      /pending.*accepted.*arriving.*arrived.*in_progress.*completed.*cancelled/,
    );
  }
  expect((await server.rest<BookingView>('GET', at(id))).body.status).toBe('accepted');
});

test('lists go newest first by cursor, each booking once, by status, with clamped limits', async () => {
  const ids = Array.from({ length: 5 }, newId);
  for (const id of ids) await put(id, { status: 'arrived' });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body }: { body: List<BookingView> } = await server.rest(
      'GET',
      `/v1/bookings?status=arrived&limit=2${query}`,
    );
    expect(body.data.length).toBeLessThanOrEqual(2);
    seen.push(...body.data.map((booking) => booking.booking_id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(ids.toReversed());
  expect(
    (await server.rest<List<BookingView>>('GET', '/v1/bookings?limit=1000000')).body.data.length,
  ).toBeGreaterThanOrEqual(5);
  await expectInvalidAt(server.rest('GET', '/v1/bookings?limit=0'), 'limit');
  await expectInvalidAt(server.rest('GET', '/v1/bookings?limit=many'), 'limit');
  await expectInvalidAt(server.rest('GET', '/v1/bookings?cursor=nonsense'), 'cursor');
  await expectInvalidAt(server.rest('GET', '/v1/bookings?page=2'), 'page');
  await expectProblem(server.rest('GET', '/v1/bookings?limit=1&limit=2'), 400, 'invalid');
});

test('the host writes system and canned messages; one Idempotency-Key makes one message', async () => {
  const { booking_id, driver, customer } = await pair(server);
  const path = `${at(booking_id)}/messages`;
  const system = { kind: 'system', body: { text: 'Your ride is confirmed' } };
  const key = { 'idempotency-key': 'key 1' };
  type Sent = { message: MessageObject; duplicate: boolean };
  const [first, ...more] = await Promise.all(
    Array.from({ length: 4 }, () => server.rest<Sent>('POST', path, system, key)),
  );
  const all = [first, ...more];
  expect(all.filter((answer) => answer?.status === 201)).toHaveLength(1);
  expect(all.filter((answer) => answer?.status === 200)).toHaveLength(3);
  expect(new Set(all.map((answer) => answer?.body.message.id)).size).toBe(1);
  expect(first?.body.message).toMatchObject({
    seq: 1,
    kind: 'system',
    body: system.body,
    sender: { user_id: 'host', scope: 'system' },
  });
  for (const person of [driver, customer]) {
    expect(await person.hears('message.created')).toEqual({ booking_id, message: first?.body.message });
  }
  await expectProblem(
    server.rest('POST', path, { kind: 'system', body: { text: 'other' } }, key),
    409,
    'conflict',
  );
  const canned = { kind: 'canned', body: { key: 'arriving_in', params: { minutes: 4 } } };
  expect(await server.rest<Sent>('POST', path, canned)).toMatchObject({
    status: 201,
    body: { message: { seq: 2, body: canned.body } },
  });
  for (const wrong of [
    { kind: 'text', body: { text: 'x' } },
    { kind: 'system', body: { text: ' ' } },
    { kind: 'canned', body: { key: 'nope' } },
    { kind: 'system' },
  ]) {
    await expectProblem(server.rest('POST', path, wrong), 400, 'invalid');
  }
  await expectProblem(
    server.rest('POST', path, system, { 'idempotency-key': 'k'.repeat(256) }),
    400,
    'invalid',
  );
  await expectProblem(server.rest('POST', `${at(newId())}/messages`, system), 404, 'not_found');

  await driver.send(booking_id, 'three');
  const page = async (query: string) =>
    (await server.rest<List<MessageObject> & { has_more: boolean }>('GET', `${path}?${query}`)).body;
  expect((await page('limit=2')).data.map((message) => message.seq)).toEqual([2, 3]);
  expect(await page('after_seq=0&limit=2')).toMatchObject({ next_cursor: '2', has_more: true });
  expect((await page('after_seq=2')).data.map((message) => message.seq)).toEqual([3]);
  expect(await page('before_seq=2')).toMatchObject({
    data: [{ seq: 1 }],
    next_cursor: null,
    has_more: false,
  });
  expect((await page('after_seq=999999999999999')).data).toEqual([]);
  await expectProblem(server.rest('GET', `${path}?after_seq=1&before_seq=3`), 400, 'invalid');
  await expectInvalidAt(server.rest('GET', `${path}?after_seq=-1`), 'after_seq');
  driver.leave();
  customer.leave();
});

test('tokens are issued with a limited life, for the three scopes', async () => {
  type Issued = { token: string; expires_at: string };
  const { status, body } = await server.rest<Issued>('POST', '/v1/tokens', {
    user_id: 'u',
    scope: 'support',
    ttl_s: 60,
    name: 'Sam',
  });
  expect(status).toBe(201);
  expect(Math.abs(Date.parse(body.expires_at) - Date.now() - 60_000)).toBeLessThan(10_000);
  const support = await Person.connect(server, body.token);
  expect((await support.error('booking.list', {})).code).toBe('forbidden');
  expect((await support.error('booking.join', { booking_id: 'x' })).code).toBe('forbidden');
  support.leave();
  for (const wrong of [
    { user_id: 'u', scope: 'admin' },
    { user_id: '', scope: 'driver' },
    { scope: 'driver' },
    { user_id: 'u', scope: 'driver', ttl_s: 0 },
    { user_id: 'u', scope: 'driver', ttl_s: 86_401 },
    { user_id: 'u', scope: 'driver', iat: 1 },
  ]) {
    await expectProblem(server.rest('POST', '/v1/tokens', wrong), 400, 'invalid');
  }
  await expectProblem(server.rest('DELETE', '/v1/users/admin/u/sessions'), 400, 'invalid');
  expect(
    (await server.rest('DELETE', `/v1/users/driver/${encodeURIComponent('a/b c')}/sessions`)).status,
  ).toBe(204);
});
