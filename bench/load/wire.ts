import { createConnection, type Socket } from 'node:net';

/** Called with each text frame as a slice of a buffer that is reused: read it before returning. */
export type OnText = (buffer: Buffer, start: number, end: number) => void;

export interface WireOptions {
  port: number;
  path: string;
  headers?: Record<string, string>;
  localAddress?: string;
  onUpgrade: () => void;
  onText: OnText;
  onClose: (reason: string) => void;
}

const SHARED = Buffer.allocUnsafeSlow(256 * 1024);
const MASK = [0x5a, 0x17, 0xc3, 0x6e] as const;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/**
 * A WebSocket client with nothing in it but framing: text frames out (masked), unfragmented frames in. All
 * sockets read into one buffer, and what one turn writes to a socket goes out in one write.
 */
export class Wire {
  private readonly socket: Socket;
  private readonly options: WireOptions;
  private rest: Buffer | null = null;
  private pending: Buffer[] = [];
  private upgraded = false;
  private closing = false;

  constructor(options: WireOptions) {
    this.options = options;
    this.socket = createConnection({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      onread: {
        buffer: SHARED,
        callback: (length: number, buffer: Uint8Array) => {
          this.read(buffer as Buffer, length);
          return true;
        },
      },
    });
    this.socket.once('connect', () => this.socket.write(this.request()));
    this.socket.once('error', (error) => this.ended(error.message));
    this.socket.once('close', () => this.ended('closed'));
  }

  /** Puts a frame aside until `flush`. The text is latin1. */
  push(text: string): void {
    this.pending.push(frame(0x81, text));
  }

  flush(): void {
    const { pending } = this;
    if (pending.length === 0) return;
    if (pending.length === 1) this.socket.write(pending[0]!);
    else this.socket.write(Buffer.concat(pending));
    this.pending = [];
  }

  send(text: string): void {
    this.push(text);
    this.flush();
  }

  /** A WebSocket close frame, then the end of the TCP connection. */
  close(): void {
    this.closing = true;
    if (this.upgraded) this.socket.write(frame(0x88, '\x03\xe8'));
    this.socket.end();
  }

  destroy(): void {
    this.closing = true;
    this.socket.destroy();
  }

  private request(): string {
    const headers = Object.entries(this.options.headers ?? {}).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    return (
      `GET ${this.options.path} HTTP/1.1\r\nHost: 127.0.0.1:${this.options.port}\r\nConnection: Upgrade\r\n` +
      `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${headers.join('')}\r\n`
    );
  }

  private ended(reason: string): void {
    if (this.closing) return;
    this.closing = true;
    this.options.onClose(reason);
    this.socket.destroy();
  }

  private read(chunk: Buffer, length: number): void {
    let buffer = chunk;
    let end = length;
    if (this.rest !== null) {
      buffer = Buffer.concat([this.rest, chunk.subarray(0, length)]);
      end = buffer.length;
      this.rest = null;
    }
    let at = this.upgraded ? 0 : this.readUpgrade(buffer, end);
    while (at >= 0 && at < end) {
      const next = this.readFrame(buffer, at, end);
      if (next < 0) break;
      at = next;
    }
    if (at >= 0 && at < end) this.rest = Buffer.from(buffer.subarray(at, end));
    this.flush();
  }

  private readUpgrade(buffer: Buffer, end: number): number {
    const head = buffer.subarray(0, end).indexOf('\r\n\r\n');
    if (head < 0) return 0;
    const status = buffer.toString('latin1', 9, 12);
    if (status !== '101') {
      this.ended(`HTTP ${status}`);
      return -1;
    }
    this.upgraded = true;
    this.options.onUpgrade();
    return head + 4;
  }

  /** Where the next frame starts, or -1 when this one is not complete yet. */
  private readFrame(buffer: Buffer, at: number, end: number): number {
    if (!this.upgraded || end - at < 2) return -1;
    let size = buffer[at + 1]! & 0x7f;
    let body = at + 2;
    if (size === 126) {
      if (end - at < 4) return -1;
      size = buffer.readUInt16BE(at + 2);
      body = at + 4;
    } else if (size === 127) {
      if (end - at < 10) return -1;
      size = Number(buffer.readBigUInt64BE(at + 2));
      body = at + 10;
    }
    if (end - body < size) return -1;
    const opcode = buffer[at]!;
    if (opcode === 0x81) this.options.onText(buffer, body, body + size);
    else if (opcode === 0x89) this.pending.push(frame(0x8a, buffer.toString('latin1', body, body + size)));
    else if (opcode === 0x88) this.ended('closed by the server');
    else if (opcode !== 0x8a) this.ended(`frame type ${opcode.toString(16)}`);
    return body + size;
  }
}

function frame(opcode: number, text: string): Buffer {
  const size = text.length;
  const head = size < 126 ? 6 : 8;
  const out = Buffer.allocUnsafe(head + size);
  out[0] = opcode;
  if (size < 126) out[1] = 0x80 | size;
  else if (size < 65_536) {
    out[1] = 0x80 | 126;
    out.writeUInt16BE(size, 2);
  } else throw new RangeError('a frame of the load generator stays below 64 KiB');
  for (let i = 0; i < 4; i += 1) out[head - 4 + i] = MASK[i]!;
  out.write(text, head, size, 'latin1');
  for (let i = 0; i < size; i += 1) out[head + i]! ^= MASK[i & 3]!;
  return out;
}
