import { WebSocket } from 'ws';
import type { TestServer } from './server.js';

/** A WebSocket without any client library: every frame is written and read as it is on the wire. */
export class RawPeer {
  readonly frames: string[] = [];
  closed = false;
  private readonly waiting = new Set<() => void>();

  private constructor(private readonly socket: WebSocket) {
    const check = () => {
      for (const one of this.waiting) one();
    };
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.frames.push(isBinary ? `binary:${data.toString('hex')}` : data.toString());
      check();
    });
    socket.on('close', () => {
      this.closed = true;
      check();
    });
    socket.on('error', () => check());
  }

  /** Opens Engine.IO; with a token also the namespace. */
  static async open(server: Pick<TestServer, 'url'>, token?: string): Promise<RawPeer> {
    const peer = new RawPeer(
      new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`),
    );
    await peer.until((frame) => frame.startsWith('0{'));
    if (token !== undefined) {
      peer.send(`40${JSON.stringify({ token })}`);
      await peer.until((frame) => frame.startsWith('40{'));
    }
    return peer;
  }

  send(frame: string | Buffer): void {
    if (!this.closed) this.socket.send(frame, () => undefined);
  }

  /** The first frame that fits, or undefined when the server closes instead. */
  async until(fits: (frame: string) => boolean, limitMs = 10_000): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const finish = (found: string | undefined) => {
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const check = () => {
        const found = this.frames.find(fits);
        if (found !== undefined || this.closed) finish(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(`neither a frame nor a close; frames: ${this.frames.join(' ').slice(0, 500)}`));
      }, limitMs);
      this.waiting.add(check);
      check();
    });
  }

  leave(): void {
    this.socket.terminate();
  }
}
