import type { Answer, ConnectionObject } from '@curbline/contract';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer } from './harness/server.js';
import { until } from './harness/until.js';

/** What these releases have in common; each brings types of its own. */
interface OldSocket {
  on<T extends unknown[]>(event: string, listener: (...args: T) => void): void;
  emit(event: string, ...args: unknown[]): void;
  close(): void;
}
type Io = (url: string, options: Record<string, unknown>) => OldSocket;

const require = createRequire(import.meta.url);
const releases = ['3-0', '4-0', '4-4', '4-8'] as const;

/** The release as applications of its time loaded it. */
function release(name: (typeof releases)[number]): { io: Io; version: string } {
  const loaded = require(`socket.io-client-${name}`) as { io: Io };
  // Old releases do not export their package.json; the entry point is beside it, some folders up.
  const [folder] = /^.*socket\.io-client-\d-\d\//.exec(require.resolve(`socket.io-client-${name}`)) ?? [''];
  return { io: loaded.io, version: (require(`${folder}package.json`) as { version: string }).version };
}

const engines = ['lean', 'stock'] as const;
const servers = new Map<string, TestServer>();
beforeAll(async () => {
  for (const engine of engines)
    servers.set(engine, await TestServer.start({ CURBLINE_SOCKET_ENGINE: engine }));
});
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

const heard = <T>(socket: OldSocket, event: string, fits: (payload: T) => boolean = () => true) =>
  new Promise<T>((resolve) => {
    socket.on(event, (...args: unknown[]) => {
      // The rule that keeps these clients working: one object, never more.
      if (args.length === 1 && fits(args[0] as T)) resolve(args[0] as T);
    });
  });
const ask = <T>(socket: OldSocket, command: string, payload: unknown) =>
  new Promise<Answer<T>>((resolve) => socket.emit(command, payload, resolve));

const cases = engines.flatMap((engine) => releases.map((name) => [name, engine] as const));
// The last is what clients do when nobody tells them otherwise: polling first, then an upgrade in the middle of the talk.
const transports = [['websocket'], ['polling'], ['polling', 'websocket']].map((names) => ({ names }));

describe.each(cases)('socket.io-client %s on the %s engine', (name, engine) => {
  test.each(transports)('joins, talks and is heard over $names', async ({ names }) => {
    const server = servers.get(engine)!;
    const { io, version } = release(name);
    expect(version.startsWith(name.replace('-', '.'))).toBe(true);
    const booking_id = await server.booking();
    const open = async (scope: 'driver' | 'customer') => {
      const token = await server.token(scope, `${booking_id}-${scope}`);
      const socket = io(server.url, {
        auth: { token, type: 'flutter' },
        transports: names,
        forceNew: true,
        reconnection: false,
      });
      await connected(socket);
      return socket;
    };
    const [driver, customer] = await Promise.all([open('driver'), open('customer')]);
    const seen = heard<{ message: { seq: number; body: { text: string } } }>(customer, 'message.created');
    const linked = heard<ConnectionObject>(customer, 'create-connection');
    const joined = await ask<ConnectionObject>(driver, 'connection-established', { booking_id });
    expect(joined.data?.booking).toBe(booking_id);
    expect((await linked).response).toBe(joined.data?.response);
    const sent = await ask<{ message: { seq: number } }>(driver, 'message.send', {
      booking_id,
      client_id: crypto.randomUUID(),
      kind: 'text',
      body: { text: 'from long ago ⏳' },
    });
    expect(sent.data?.message.seq).toBe(1);
    expect((await seen).message).toMatchObject({ seq: 1, body: { text: 'from long ago ⏳' } });
    const page = await ask<{ messages: unknown[] }>(customer, 'message.list', { booking_id });
    expect(page.data?.messages).toHaveLength(1);
    const order: number[] = [];
    driver.on('message.created', ({ message }: { message: { seq: number } }) => order.push(message.seq));
    const many = Array.from({ length: 50 }, (_, index) =>
      ask<{ message: { seq: number } }>(customer, 'message.send', {
        booking_id,
        client_id: crypto.randomUUID(),
        kind: 'text',
        body: { text: `plain ${index}` },
      }),
    );
    // An answer never comes twice or for another question, and what one client sends stays in its order.
    const seqs = (await Promise.all(many)).map((answer) => answer.data?.message.seq);
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 2));
    await until('all are heard', () => order.length >= 50);
    expect(order).toEqual(seqs);
    const refused = await ask(customer, 'message.list', { booking_id: 'none' });
    expect(refused.error?.code).toBe('not_found');
    for (const socket of [driver, customer]) socket.close();
  });

  test('learns from connect_error why it was refused', async () => {
    const server = servers.get(engine)!;
    const { io } = release(name);
    const socket = io(server.url, {
      auth: { token: 'no' },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    const error = await heard<Error & { data: { error: { code: string } } }>(socket, 'connect_error');
    expect(error.data.error.code).toBe('unauthenticated');
    socket.close();
  });
});

function connected(socket: OldSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('connect', () => resolve());
    socket.on('connect_error', (error: Error) => reject(error));
  });
}
