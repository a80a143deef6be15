import WebSocket from 'ws';
import type { Started } from './process.ts';

/** Where `node --inspect=127.0.0.1:0` listens, from what it printed on standard error. */
export function inspectorUrl(started: Started): string {
  const url = /Debugger listening on (ws:\/\/\S+)/.exec(started.errors())?.[1];
  if (url === undefined) throw new Error('the server was not started with --inspect');
  return url;
}

/** Runs full garbage collections in a Node process, so that its resident memory is what it needs. */
export async function collectGarbage(url: string): Promise<void> {
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve()).once('error', reject);
  });
  for (let id = 1; id <= 3; id += 1) {
    await new Promise<void>((resolve) => {
      socket.once('message', () => resolve());
      socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }));
    });
  }
  socket.close();
}
