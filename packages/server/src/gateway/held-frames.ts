import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Frame } from '../fanout/packet.js';
import {
  writableHandleOf,
  writeDirectly,
  type WritableHandle,
  type WriteOutcome,
} from '../ops/direct-write.js';

/** Characters that are held for a socket which is written to without a look at what waits for it. */
const LITTLE = 4_096;

/** Sockets that hold something back until the end of this turn of the event loop. */
let held: HeldFrames[] = [];

function release(): void {
  const sockets = held;
  held = [];
  for (const socket of sockets) socket.release();
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
  /** Writes that the network has not taken whole. */
  private pending = 0;
  /** Held back: latin1 text, or frames of which one is not. */
  private text = '';
  private frames: Buffer[] | undefined;
  private isHeld = false;

  /** Called once, before anything else. */
  protected writeTo(socket: S): void {
    this.socket = socket;
    this.handle = writableHandleOf(socket);
  }

  /** Something that is no frame and leaves before the first one. */
  protected holdFirst(text: string): void {
    this.text = text;
    this.hold();
  }

  /** Bytes that the network has not taken yet; characters, as long as they are held. */
  get bufferedAmount(): number {
    const { handle, pending, socket, text } = this;
    let bytes =
      text.length + (handle === undefined ? socket.writableLength : pending && handle.writeQueueSize);
    for (const frame of this.frames ?? []) bytes += frame.length;
    return bytes;
  }

  /** The network has taken all that it was given, and little is held: nobody has to ask how much waits. */
  get isClear(): boolean {
    const { readyState, handle, pending, frames, text } = this;
    return (
      readyState === 1 &&
      handle !== undefined &&
      pending === 0 &&
      frames === undefined &&
      text.length < LITTLE
    );
  }

  /** Holds a frame back until the end of this turn. */
  push(frame: Frame): void {
    if (this.readyState !== 1) return;
    this.hold();
    if (typeof frame === 'string' && this.frames === undefined) {
      this.text = this.text === '' ? frame : this.text + frame;
      return;
    }
    this.frames ??= this.text === '' ? [] : [Buffer.from(this.text, 'latin1')];
    this.text = '';
    this.frames.push(typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame);
  }

  /** Puts out what is held back: at the end of a turn, or earlier where somebody must not wait for it. */
  release(): void {
    const { handle, socket, text, frames } = this;
    this.text = '';
    this.frames = undefined;
    this.isHeld = false;
    if (text === '' && frames === undefined) return;
    const data = frames === undefined ? text : oneOf(frames);
    if (handle === undefined) {
      if (!socket.destroyed && !socket.writableEnded) socket.write(data, 'latin1');
      return;
    }
    const outcome = writeDirectly(handle, data);
    if (outcome !== 0) this.waitFor(outcome);
  }

  private waitFor(outcome: WriteOutcome): void {
    if (typeof outcome !== 'object') {
      this.socket.destroy();
      return;
    }
    this.pending += 1;
    outcome.oncomplete = (status) => {
      this.pending -= 1;
      if (status < 0) this.socket.destroy();
    };
  }

  private hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    if (held.length === 0) setImmediate(release);
    held.push(this);
  }
}
