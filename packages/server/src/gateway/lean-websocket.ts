import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { byteFrame, textFrame } from '../fanout/packet.js';
import { readingShared } from '../ops/shared-read-buffer.js';
import { bytesOf, unmask } from './frame-bytes.js';
import { HeldFrames } from './held-frames.js';
import { takeAnswer } from './kept-answer.js';
import { TokenBucket } from './token-bucket.js';

/** Pings and pongs of the websocket itself, which nobody above hears of. */
const CONTROL_FRAMES = { perS: 5, burst: 20 };
/** How long a peer is waited for that does not take part in the closing handshake. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Messages of one client that are read in a turn of the event loop: all others wait until they are answered. */
const AT_ONCE = 128;
/** Bytes likewise, where ws' receiver reads them, which says nothing between two messages. */
const BYTES_AT_ONCE = 2_048;

const WHOLE_TEXT = 0x81;
const WHOLE_BINARY = 0x82;
const CLOSE = 0x88;
const PONG = 0x8a;
const MASKED = 0x80;
const MASK_BYTES = 4;
const SHORT = 126;

const NORMAL = 1000;
const GOING_AWAY = 1001;
const NO_STATUS = 1005;
const INVALID_UTF8 = 1007;
/** What the codes of errors in ws' receiver are told to the peer as; all others are violations of the protocol. */
const STATUS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: INVALID_UTF8,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
};
const PROTOCOL_ERROR = 1002;

/** What ws hands to the class of its server's sockets. */
export interface ReceiverOptions {
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
}

/** Reads texts before engine.io does. */
export interface TextReader {
  /** True when the text was theirs. */
  read(text: string): boolean;
}

/** ws' reader of frames. Its types leave it out, and with it what says that it is between two messages. */
interface Receiver extends Writable {
  _maxPayload: number;
  readonly _state: number;
  readonly _bufferedBytes: number;
  readonly _fragmented: number;
}
const ReceiverClass = (ws as unknown as { Receiver: new (options: object) => Receiver }).Receiver;

interface Carrier extends Socket {
  curblineWebSocket?: LeanWebSocket;
}

/** engine.io asks for the peer's address, a system call for what nobody here reads. */
const NOWHERE = { remoteAddress: '' };

type Sent = (error?: Error) => void;

/**
 * One websocket of a client, with no more in it than a chat needs: whole text frames are read where they arrive,
 * and what one turn says to a client leaves in one system call. Whatever else the protocol knows (fragments, frames in
 * pieces, control frames, violations) is read by ws' own receiver, made when the first of it comes.
 * To engine.io it looks like a `WebSocket` of ws.
 */
export class LeanWebSocket extends HeldFrames<Carrier> {
  /** Who reads texts before engine.io does. */
  reader: TextReader | undefined;
  /** engine.io looks here for who takes encoded frames. */
  readonly _sender = this;
  /** And here for the connection below. */
  readonly _socket = NOWHERE;
  private options!: ReceiverOptions;
  private receiver: Receiver | undefined;
  private maxBytes = 0;
  private control: TokenBucket | undefined;
  private closeTimer: NodeJS.Timeout | undefined;
  private closeCode = 1006;
  private closeReceived = false;
  /** Chunks are gone once they are read. */
  private isShared = false;
  /** What came beyond that in one chunk. Nothing more is read before it. */
  private rest: Buffer | undefined;
  private isUnread = false;

  /** ws' server calls it once the handshake is done. */
  setSocket(socket: Carrier, head: Buffer, options: ReceiverOptions): void {
    this.writeTo(socket);
    this.options = options;
    this.maxBytes = options.maxPayload;
    socket.curblineWebSocket = this;
    socket.setTimeout(0);
    socket.setNoDelay();
    if (head.length > 0) socket.unshift(head);
    this.holdFirst(takeAnswer(socket));
    this.isShared = readShared(socket);
    socket.on('close', onClose).on('data', onData).on('end', onEnd).on('error', onError);
    // engine.io's response to the upgrade listens too, and would keep the whole request in memory with it.
    for (const listener of socket.rawListeners('close'))
      if (listener !== onClose) socket.removeListener('close', listener as () => void);
  }

  /** Larger payloads are refused while they come in. */
  set maxPayload(bytes: number) {
    this.maxBytes = bytes;
    if (this.receiver) this.receiver._maxPayload = bytes;
  }

  /** As ws does. What is sent counts as sent once it is held: a socket that fails says so by closing. */
  send(data: string | ArrayBuffer | NodeJS.ArrayBufferView, ...rest: (object | Sent | undefined)[]): void {
    if (typeof data === 'string') this.push(textFrame(data));
    else this.push(byteFrame(WHOLE_BINARY, bytesOf(data)));
    const sent = rest.at(-1);
    if (typeof sent === 'function') (sent as Sent)();
  }

  /** Frames that are encoded already; engine.io calls it. */
  sendFrame(frames: readonly Buffer[], sent?: Sent): void {
    for (const frame of frames) this.push(frame);
    sent?.();
  }

  /** What the peer sends from now on waits in the network. */
  pauseReading(): void {
    this.isUnread = true;
    this.socket.pause();
  }

  resumeReading(): void {
    this.isUnread = false;
    if (this.rest === undefined) this.socket.resume();
    else this.readOn();
  }

  close(code?: number): void {
    if (this.readyState === 1) {
      const payload = Buffer.alloc(code === undefined || code === NO_STATUS ? 0 : 2);
      if (payload.length === 2) payload.writeUInt16BE(code ?? 0);
      this.push(byteFrame(CLOSE, payload));
      this.readyState = 2;
      this.closeTimer = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS);
      this.closeTimer.unref();
    }
    if (this.closeReceived) this.end();
  }

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 2;
    this.socket.destroy();
  }

  /** @internal */
  read(chunk: Buffer, isShared: boolean = this.isShared): void {
    if (this.closeReceived) return;
    let at = 0;
    if (this.receiver === undefined || isIdle(this.receiver)) {
      let direct = this.reader;
      for (let left = AT_ONCE; at < chunk.length; left -= 1) {
        if (left === 0) {
          this.readLater(chunk.subarray(at), isShared);
          return;
        }
        const next = this.readText(chunk, at, direct);
        if (next === 0) break;
        // What engine.io reads is served a moment later: nothing may overtake it.
        if (next < 0) direct = undefined;
        at = Math.abs(next);
        // Whoever read it may have closed us.
        if (this.socket.destroyed || this.closeReceived) return;
      }
      if (at >= chunk.length || this.readClose(chunk, at)) return;
    }
    const end = at + BYTES_AT_ONCE;
    if (end < chunk.length) this.readLater(chunk.subarray(end), isShared);
    if (!this.slowly().write(keeping(chunk.subarray(at, end), isShared))) this.socket.pause();
  }

  private readLater(rest: Buffer, isShared: boolean): void {
    this.rest = keeping(rest, isShared);
    this.socket.pause();
    setImmediate(() => this.readOn());
  }

  private readOn(): void {
    const { rest, isUnread, socket } = this;
    if (rest === undefined || isUnread || socket.destroyed) return;
    this.rest = undefined;
    socket.resume();
    this.read(rest, false);
  }

  /** @internal The peer has ended its side. */
  ended(): void {
    this.readyState = 2;
    if (this.receiver?.writableEnded === false) this.receiver.end();
    this.end();
  }

  /** @internal */
  gone(): void {
    clearTimeout(this.closeTimer);
    const { receiver } = this;
    receiver?.removeAllListeners();
    // A receiver that is thrown away half-way may still find something to complain of.
    receiver?.on('error', () => undefined);
    this.reader = undefined;
    this.rest = undefined;
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit('close', this.closeCode, EMPTY);
  }

  /**
   * One whole text frame at this place. Where the next one begins: negative when the text was left to
   * engine.io, 0 when something else is here.
   */
  private readText(chunk: Buffer, at: number, direct: TextReader | undefined): number {
    const left = chunk.length - at;
    const second = chunk[at + 1];
    if (left < 6 || chunk[at] !== WHOLE_TEXT || second === undefined || second < MASKED) return 0;
    let size = second - MASKED;
    let mask = at + 2;
    if (size === SHORT) {
      size = chunk.readUInt16BE(at + 2);
      mask = at + 4;
    } else if (size > SHORT) return 0;
    const start = mask + MASK_BYTES;
    const end = start + size;
    if (end > chunk.length || size > this.maxBytes) return 0;
    unmask(chunk, mask, start, end);
    const payload = chunk.subarray(start, end);
    if (!isUtf8(payload)) {
      this.fail(new RangeError('Invalid WebSocket frame: invalid UTF-8 sequence'), INVALID_UTF8);
      return end;
    }
    const text = payload.toString();
    if (direct?.read(text) === true) return end;
    this.emit('message', text, false);
    return -end;
  }

  /** The close frame of a client that leaves in the ordinary way. */
  private readClose(chunk: Buffer, at: number): boolean {
    if (chunk[at] !== CLOSE) return false;
    const size = (chunk[at + 1] ?? 0) - MASKED;
    const start = at + 2 + MASK_BYTES;
    if ((size !== 0 && size !== 2) || start + size > chunk.length) return false;
    if (size === 2) unmask(chunk, at + 2, start, start + size);
    const code = size === 0 ? NO_STATUS : chunk.readUInt16BE(start);
    if (size === 0 || code === NORMAL || code === GOING_AWAY) {
      this.concluded(code);
      return true;
    }
    // Masked again, for ws, which knows the other codes.
    unmask(chunk, at + 2, start, start + size);
    return false;
  }

  private slowly(): Receiver {
    if (this.receiver) return this.receiver;
    const receiver = new ReceiverClass({ ...this.options, maxPayload: this.maxBytes, isServer: true });
    receiver.on('message', (data: Buffer, isBinary: boolean) => {
      this.emit('message', isBinary ? data : data.toString(), isBinary);
    });
    receiver.on('conclude', (code: number) => this.concluded(code));
    receiver.on('drain', () => this.socket.resume());
    receiver.on('error', (error: Error & { code?: string }) => {
      this.fail(error, STATUS[error.code ?? ''] ?? PROTOCOL_ERROR);
    });
    receiver.on('ping', (data: Buffer) => {
      if (this.counted() && this.readyState === 1) this.push(byteFrame(PONG, data));
    });
    receiver.on('pong', () => this.counted());
    this.receiver = receiver;
    return receiver;
  }

  private counted(): boolean {
    this.control ??= new TokenBucket(CONTROL_FRAMES.perS, CONTROL_FRAMES.burst);
    if (this.control.take()) return true;
    this.terminate();
    return false;
  }

  /** The peer's close frame is here: nothing more of it is read. */
  private concluded(code: number): void {
    this.closeReceived = true;
    this.closeCode = code;
    this.stopReading();
    this.close(code);
  }

  private fail(error: Error, status: number): void {
    if (this.closeReceived) return;
    this.closeReceived = true;
    this.stopReading();
    this.close(status);
    this.emit('error', error);
  }

  private stopReading(): void {
    const { socket } = this;
    socket.removeListener('data', onData);
    process.nextTick(() => socket.resume());
  }

  private end(): void {
    this.release();
    if (!this.socket.writableEnded) this.socket.end();
  }
}

const EMPTY = Buffer.alloc(0);

const keeping = (bytes: Buffer, isShared: boolean): Buffer => (isShared ? Buffer.from(bytes) : bytes);

/** Between two messages, with nothing of the next one taken in. */
const isIdle = ({ _state, _bufferedBytes, _fragmented }: Receiver): boolean =>
  _state === 0 && _bufferedBytes === 0 && _fragmented === 0;

function onData(this: Carrier, chunk: Buffer): void {
  this.curblineWebSocket?.read(chunk);
}

const readShared = readingShared<Carrier>(onData);

function onEnd(this: Carrier): void {
  this.curblineWebSocket?.ended();
}

function onClose(this: Carrier): void {
  this.curblineWebSocket?.gone();
}

/** A broken connection is closed; `close` says so. */
function onError(this: Carrier): void {
  this.destroy();
}
