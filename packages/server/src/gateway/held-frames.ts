import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Frame } from '../fanout/packet.js';
import {
  writableHandleOf,
  writeDirectly,
  type WritableHandle,
  type WriteOutcome,
} from '../ops/direct-write.js';

/** So many characters, held or about to be, are written without a look at what waits for the client. */
export const LITTLE = 4_096;

/**
 * Sockets that hold something back until the end of this turn of the event loop, and their texts by the same places: text that hangs on an old
 * object is one more that each young collection has to look at, on as many pages as there are sockets.
 */
let held: HeldFrames[] = [];
let texts: string[] = [];

function releaseAll(): void {
  // Places stay what they are until all have been released, also of who is held meanwhile.
  for (let at = 0; at < held.length; at += 1) held[at]?.release();
  held = [];
  texts = [];
}

const oneOf = (frames: readonly Buffer[]): Buffer => {
  const [first] = frames;
  return first !== undefined && frames.length === 1 ? first : Buffer.concat(frames);
};

/**
 * The half of a websocket that writes: what one turn of the event loop says to a client is held back until its end, and leaves in one system
 * call.
 */
export class HeldFrames<S extends Socket = Socket> extends EventEmitter {
  /** As of a `WebSocket`: 1 while it is open. */
  readyState = 1;
  protected socket!: S;
  /** Where frames are written past the stream of the socket; undefined where that cannot be. */
  private handle: WritableHandle | undefined;
  /** Of the write that the network has not taken whole, all that it keeps in memory until then. */
  private pendingBytes = 0;
  /** Something went by the stream meanwhile: nothing may overtake it. */
  private isStreaming = false;
  /** Where its text is among those that are held; -1: nothing is. */
  private heldAt = -1;
  /** Held back instead of text, where one of them is not of latin1. */
  private frames: Buffer[] | undefined;

  /** Called once, before anything else. */
  protected writeTo(socket: S): void {
    this.socket = socket;
    this.handle = writableHandleOf(socket);
  }

  /** Something that is no frame and leaves before the first one. */
  protected holdFirst(text: string): void {
    this.hold(text);
  }

  /** Bytes that the network has not taken yet; characters, as long as they are held. */
  get bufferedAmount(): number {
    const { handle, pendingBytes, isStreaming, socket } = this;
    let bytes = this.text.length + pendingBytes;
    if (handle === undefined || isStreaming) bytes += socket.writableLength;
    for (const frame of this.frames ?? []) bytes += frame.length;
    return bytes;
  }

  /** The network has taken all that it was given, and little is held: nobody has to ask how much waits. */
  get isClear(): boolean {
    const { readyState, handle, pendingBytes, isStreaming, frames, heldAt } = this;
    return (
      readyState === 1 &&
      handle !== undefined &&
      pendingBytes === 0 &&
      !isStreaming &&
      frames === undefined &&
      (heldAt < 0 || this.text.length < LITTLE)
    );
  }

  /** Holds a frame back until the end of this turn. */
  push(frame: Frame): void {
    if (this.readyState !== 1) return;
    const { heldAt } = this;
    if (typeof frame !== 'string' || this.frames !== undefined) this.pushBytes(frame);
    else if (heldAt < 0) this.hold(frame);
    else texts[heldAt] = this.text + frame;
  }

  /** Puts out what is held back: at the end of a turn, or earlier where somebody must not wait for it. */
  release(): void {
    const { handle, socket, text, frames, heldAt } = this;
    if (heldAt < 0) return;
    texts[heldAt] = '';
    this.heldAt = -1;
    this.frames = undefined;
    if (text === '' && frames === undefined) return;
    const data = frames === undefined ? text : oneOf(frames);
    if (handle === undefined || this.isBehind()) {
      if (!socket.destroyed && !socket.writableEnded) socket.write(data, 'latin1');
      return;
    }
    const outcome = writeDirectly(handle, data);
    if (outcome !== 0) this.waitFor(outcome, data.length);
  }

  /** While the network has not taken what it was given, the stream gathers what comes after, as it does best. */
  private isBehind(): boolean {
    if (this.pendingBytes > 0) this.isStreaming = true;
    else if (this.isStreaming) this.isStreaming = this.socket.writableLength > 0;
    return this.isStreaming;
  }

  /** A handle that is closed answers nothing: then `close` of the socket says so. */
  private waitFor(outcome: WriteOutcome, bytes: number): void {
    if (typeof outcome === 'object') {
      this.pendingBytes = bytes;
      outcome.oncomplete = (status) => {
        this.pendingBytes = 0;
        if (status < 0) this.socket.destroy();
      };
    } else if (outcome !== undefined && outcome < 0) this.socket.destroy();
  }

  private get text(): string {
    const { heldAt } = this;
    return heldAt < 0 ? '' : (texts[heldAt] ?? '');
  }

  private pushBytes(frame: Frame): void {
    const { text } = this;
    this.frames ??= text === '' ? [] : [Buffer.from(text, 'latin1')];
    if (this.heldAt < 0) this.hold('');
    else texts[this.heldAt] = '';
    this.frames.push(typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame);
  }

  private hold(text: string): void {
    if (held.length === 0) setImmediate(releaseAll);
    this.heldAt = held.length;
    held.push(this);
    texts.push(text);
  }
}
