import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, type Ready } from './harness/embedded-ground.js';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

let server: TestServer;
let connection: Ready['connection'];

beforeAll(async () => {
  server = await TestServer.start();
  const host = join(server.dataDir, 'postgres/run');
  connection = { host, port: 5432, user: 'curbline', database: 'curbline' };
});
afterAll(() => server.stop());

test('a connection that breaks inside a transaction fails that request, and the process lives', async () => {
  const id = await server.booking();
  const { pid } = server;
  // Held by this session, so that the server's transaction is in the middle of a statement when its backend is killed.
  const holding = query(connection, `BEGIN; LOCK TABLE bookings; SELECT pg_sleep(1.2); COMMIT`).catch(
    () => undefined,
  );
  const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'curbline-read'`;
  await until('the table is locked', async () => {
    const rows = await query(
      connection,
      `SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted`,
    );
    return rows.length > 0;
  });
  const put = server
    .rest('PUT', `/v1/bookings/${id}`, { driver: { id: 'd' }, customer: { id: 'c' }, status: 'accepted' })
    .then(({ status }) => status);
  let backends: { pid: number }[] = [];
  await until('the server waits for it', async () => {
    backends = await query<{ pid: number }>(connection, waiting);
    return backends.length > 0;
  });
  for (const backend of backends) process.kill(backend.pid, 'SIGKILL');
  expect(await put).toBe(503);
  await holding;
  await until('it is ready again', async () => (await fetch(`${server.url}/health/ready`)).ok, 20_000);
  expect(server.pid).toBe(pid);
  expect(await server.booking(id)).toBe(id);
}, 60_000);
