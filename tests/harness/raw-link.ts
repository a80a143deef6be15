import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';

/** A masked text or binary frame, as a client writes it. A mask of zeros leaves the payload as it is. */
export function frame(
  payload: string | Buffer,
  { opcode = typeof payload === 'string' ? 1 : 2, fin = true } = {},
): Buffer {
  const data = Buffer.from(payload as string);
  const first = (fin ? 0x80 : 0) | opcode;
  let head: Buffer;
  if (data.length < 126) head = Buffer.from([first, 0x80 | data.length]);
  else if (data.length < 65_536) head = Buffer.from([first, 0x80 | 126, data.length >> 8, data.length & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), data]);
}

/** A websocket to the server with hands on the wire below it. */
export class RawLink {
  readonly heard: string[] = [];
  closed = false;
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly tcp: Socket,
    private readonly websocket: WebSocket,
  ) {
    websocket.on('message', (data: Buffer) => {
      const text = data.toString();
      // An honest client's heartbeat, so that silence is not what ends the connection.
      if (text === '2') websocket.send('3');
      else this.heard.push(text);
      for (const check of this.waiting) check();
    });
    const end = () => {
      this.closed = true;
      for (const check of this.waiting) check();
    };
    websocket.on('close', end);
    websocket.on('error', end);
    tcp.on('error', end);
    tcp.on('close', end);
  }

  /** Opens Engine.IO; with a token also the namespace. */
  static async open(url: string, token?: string): Promise<RawLink> {
    const { hostname, port } = new URL(url);
    const tcp = connect(Number(port), hostname);
    await once(tcp, 'connect');
    tcp.setMaxListeners(0);
    const websocket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      createConnection: () => tcp,
      perMessageDeflate: false,
    });
    const link = new RawLink(tcp, websocket);
    await link.until(() => link.heard.length > 0);
    if (token !== undefined) {
      link.say(`40${JSON.stringify({ token })}`);
      await link.until(() => link.heard.some((text) => text.startsWith('40')));
    }
    return link;
  }

  say(text: string): void {
    this.tcp.write(frame(text));
  }

  /** Bytes as they are; resolves when the kernel has them or the connection is gone. */
  async write(bytes: Buffer): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.tcp.once('close', () => resolve());
      this.tcp.write(bytes, () => resolve());
    });
  }

  /** Stops reading: the kernel's buffers fill, then the server's. */
  goDeaf(): void {
    this.tcp.pause();
    this.websocket.pause();
  }

  hearAgain(): void {
    this.websocket.resume();
    this.tcp.resume();
  }

  until(fact: () => boolean, limitMs = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!fact()) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(
          new Error(
            `not so in time; closed: ${this.closed}; heard: ${this.heard.slice(-3).join(' | ').slice(0, 400)}`,
          ),
        );
      }, limitMs);
      this.waiting.add(check);
      check();
    });
  }

  untilClosed(limitMs?: number): Promise<void> {
    return this.until(() => this.closed, limitMs);
  }

  end(): void {
    this.websocket.terminate();
    this.tcp.destroy();
  }
}

/** A long-polling session by hand. */
export class RawPolling {
  private constructor(
    private readonly base: string,
    readonly sid: string,
  ) {}

  static async open(url: string, token?: string): Promise<RawPolling> {
    const base = `${url}/socket.io/?EIO=4&transport=polling`;
    const opened = JSON.parse((await (await fetch(base)).text()).slice(1)) as { sid: string };
    const polling = new RawPolling(base, opened.sid);
    if (token !== undefined) {
      await polling.post(`40${JSON.stringify({ token })}`);
      const { text } = await polling.poll();
      if (!text.startsWith('40')) throw new Error(`the namespace did not open: ${text}`);
    }
    return polling;
  }

  get url(): string {
    return `${this.base}&sid=${this.sid}`;
  }

  /** Status 0 when the server cut the connection. */
  post(body: string): Promise<{ status: number; text: string }> {
    return this.call({ method: 'POST', body, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  }

  poll(): Promise<{ status: number; text: string }> {
    return this.call({ method: 'GET' });
  }

  private async call(init: RequestInit): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.url, init);
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: String(error) };
    }
  }
}
