import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverProcesses } from './harness/embedded-ground.js';
import { pair, Person } from './harness/people.js';
import { Program } from './harness/program.js';
import { RawLink, RawPolling } from './harness/raw-link.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

test('SIGTERM tells every socket, answers what runs, closes so that clients come back, and exits with 0 in time', async () => {
  const { booking_id, driver, customer } = await pair(server);
  await driver.data('booking.join', { booking_id });
  const reasons = Promise.all(
    [driver, customer].map(
      (person) => new Promise<string>((resolve) => person.socket.once('disconnect', resolve)),
    ),
  );
  // A stream of sends runs while the signal comes: each is answered with data, or refused as nothing kept.
  const sends = Array.from({ length: 40 }, (_, index) =>
    driver.ask<{ message: { seq: number } }>('message.send', {
      booking_id,
      client_id: crypto.randomUUID(),
      kind: 'text',
      body: { text: `on the way ${index}` },
    }),
  );
  await Promise.race(sends);
  const started = performance.now();
  const code = await server.kill('SIGTERM');
  expect(code).toBe(0);
  expect(performance.now() - started).toBeLessThan(10_000);

  for (const person of [driver, customer]) {
    expect(person.told('disconnected')).toEqual([
      { reason: 'shutting_down', message: 'Socket disconnected', retry_after_ms: expect.any(Number) },
    ]);
  }
  // `io server disconnect` would tell a client to stay away.
  for (const reason of await reasons) expect(reason).toBe('transport close');

  const answers = await Promise.all(sends);
  const acked = answers.flatMap((answer) => (answer.data ? [answer.data.message.seq] : []));
  for (const { error } of answers) if (error) expect(error.code).toBe('unavailable');

  await server.up();
  const history = await server.rest<{ data: { seq: number }[] }>(
    'GET',
    `/v1/bookings/${booking_id}/messages?limit=200`,
  );
  const stored = history.body.data.map((message) => message.seq);
  expect(stored).toEqual(expect.arrayContaining(acked));
  expect(stored).toEqual(stored.map((_, index) => index + 1));
});

test('while it drains nobody is let in', async () => {
  const { driver } = await pair(server);
  const ended = server.kill('SIGTERM');
  await driver.hears('disconnected');
  // Refused, or the port is closed already.
  const letIn = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`).then(
    (answer) => answer.ok,
    () => false,
  );
  expect(letIn).toBe(false);
  expect(await ended).toBe(0);
});

/** Nobody has to be waited for as long as supervisors wait. */
async function expectCleanEnd(limitMs = 6_000): Promise<void> {
  const started = performance.now();
  expect(await server.kill('SIGTERM')).toBe(0);
  expect(performance.now() - started).toBeLessThan(limitMs);
}

async function tcp(text: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

test('connections that are not idle and not served either are not waited for', async () => {
  await server.up();
  const { api_key } = await server.keys();
  const put = `PUT /v1/bookings/half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api_key}\r\n`;
  const body = 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"driver":';
  const sockets = await Promise.all(
    ['', 'GET /health/live HTTP/1.1\r\nX-Half: ', put, put + body].map((text) => tcp(text)),
  );
  // One more who has been answered before: what was written first is with the server by then.
  const idle = await tcp('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  await expectCleanEnd();
  for (const socket of [...sockets, idle]) socket.destroy();
});

/** Asks one thing after the other on one connection, as a host's backend does; ends with the connection. */
async function busyHost(agent: Agent): Promise<{ statuses: Set<number>; last: string }> {
  const { api_key } = await server.keys();
  const statuses = new Set<number>();
  for (;;) {
    const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
      const headers = { authorization: `Bearer ${api_key}` };
      request(`${server.url}/v1/bookings`, { agent, headers }, resolve)
        .on('error', () => resolve(undefined))
        .end();
    });
    if (!answer) return { statuses, last: 'no answer' };
    statuses.add(answer.statusCode ?? 0);
    await once(answer.resume(), 'end');
    if (answer.headers.connection === 'close') return { statuses, last: 'close' };
  }
}

test('a busy host is answered to the last and told to close; a websocket that does not answer the goodbye is cut', async () => {
  await server.up();
  const deaf = await RawLink.open(server.url, await server.token('driver', 'deaf'));
  deaf.goDeaf();
  const stranger = await RawLink.open(server.url);
  stranger.goDeaf();
  const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const hosts = agents.map(busyHost);
  await expectCleanEnd();
  for (const { statuses, last } of await Promise.all(hosts)) {
    expect([...statuses]).toEqual([200]);
    expect(last).toBe('close');
  }
  for (const agent of agents) agent.destroy();
  deaf.end();
  stranger.end();
});

test('who polls hears the goodbye, and who has stopped polling is not waited for', async () => {
  await server.up();
  const person = await Person.connect(server, await server.token('driver', 'polls'), {
    transports: ['polling'],
  });
  await RawPolling.open(server.url, await server.token('driver', 'stopped polling'));
  const gone = new Promise<string>((resolve) => person.socket.once('disconnect', resolve));
  await expectCleanEnd();
  expect(person.told('disconnected')).toMatchObject([{ reason: 'shutting_down' }]);
  expect(['transport close', 'transport error']).toContain(await gone);
});

test('a database that hangs is left behind in time, and what was acknowledged is there afterwards', async () => {
  await server.up();
  const { booking_id, driver } = await pair(server);
  await driver.send(booking_id, 'kept');
  const database = serverProcesses(join(server.dataDir, 'postgres/cluster'));
  expect(database.length).toBeGreaterThan(1);
  for (const pid of database) process.kill(pid, 'SIGSTOP');
  try {
    const answer = driver.ask('message.send', {
      booking_id,
      client_id: crypto.randomUUID(),
      kind: 'text',
      body: { text: 'lost' },
    });
    // By polling it travels as a request of its own: it has to be there before the server is told to stop.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expectCleanEnd(10_000);
    expect((await answer).error?.code).toBe('unavailable');
  } finally {
    for (const pid of database) process.kill(pid, 'SIGCONT');
  }
  await until('it has stopped, as it was told', () =>
    database.every((pid) => !serverProcesses(join(server.dataDir, 'postgres/cluster')).includes(pid)),
  );
  await server.up();
  const { body } = await server.rest<{ data: { body: { text: string } }[] }>(
    'GET',
    `/v1/bookings/${booking_id}/messages`,
  );
  expect(body.data.map((message) => message.body.text)).toContain('kept');
});

test('a server that is told to stop while it starts, or the moment it is ready, leaves no database running', async () => {
  for (const waitMs of [undefined, 0, 150, 400]) {
    const dataDir = await mkdtemp(join(tmpdir(), 'curbline-early-'));
    await chmod(dataDir, 0o755);
    const cluster = join(dataDir, 'postgres/cluster');
    const program = Program.start(process.execPath, ['apps/standalone/dist/main.js'], {
      CURBLINE_DATA_DIR: dataDir,
      CURBLINE_PORT: '0',
    });
    if (waitMs === undefined)
      await until('it says that it is ready', () => program.output.includes('ready at'));
    else {
      await until('its database runs', () => existsSync(join(cluster, 'postmaster.pid')), 30_000);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    expect(await program.stop(), program.output).toBe(0);
    expect(serverProcesses(cluster)).toEqual([]);
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);
