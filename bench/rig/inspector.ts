import WebSocket from 'ws';
import type { Started } from './process.ts';

/** Where `node --inspect=127.0.0.1:0` listens, from what it printed on standard error. */
function inspectorUrl(started: Started): string {
  const url = /Debugger listening on (ws:\/\/\S+)/.exec(started.errors())?.[1];
  if (url === undefined) throw new Error('the server was not started with --inspect');
  return url;
}

/** A connection to the inspector of a Node process; what it was asked to do ends with it. */
export class Inspector {
  private readonly socket: WebSocket;
  private asked = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  static async open(started: Started): Promise<Inspector> {
    const socket = new WebSocket(inspectorUrl(started), { maxPayload: 2 ** 30 });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve()).once('error', reject);
    });
    return new Inspector(socket);
  }

  async ask(method: string, params: object = {}): Promise<unknown> {
    const id = (this.asked += 1);
    return new Promise((resolve) => {
      const hear = (data: Buffer) => {
        const answer = JSON.parse(data.toString()) as { id?: number; result?: unknown };
        if (answer.id !== id) return;
        this.socket.off('message', hear);
        resolve(answer.result);
      };
      this.socket.on('message', hear);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Runs full garbage collections, so that resident memory is what the process needs. */
  async collectGarbage(): Promise<void> {
    for (let i = 0; i < 3; i += 1) await this.ask('HeapProfiler.collectGarbage');
  }

  close(): void {
    this.socket.close();
  }
}
