import type { Socket } from 'node:net';

const BYTES = 65_536;
/** Every read of every socket lands here: a chunk is used up before the event loop reads the next one. */
const shared = Buffer.allocUnsafeSlow(BYTES);

/** What a handle below a socket can do besides. */
interface Handle {
  useUserBuffer?(buffer: Buffer): void;
}

/** Where Node keeps the option `onread` of `net.connect`, which the sockets of a server cannot be given. */
const BUFFER_KEY = 'kBuffer';
const CALLBACK_KEY = 'kBufferCb';
let bufferKey: symbol | undefined;
let callbackKey: symbol | undefined;

/**
 * Makes a function that lets a socket read into one buffer that all share, as `net.connect` does with `onread`: without
 * it, each read takes 64 KiB from the heap and a stream's way to its listener. `onChunk` is called on the socket, and must copy what
 * it keeps. The function answers false where this Node, or this socket, cannot: then `data` events bring the chunks.
 */
export function readingShared<S extends Socket>(onChunk: (this: S, chunk: Buffer) => void) {
  const onRead = function (this: S, size: number): void {
    onChunk.call(this, shared.subarray(0, size));
  };
  return (socket: S): boolean => {
    const handle = (socket as unknown as { _handle?: Handle | null })._handle;
    if (typeof handle?.useUserBuffer !== 'function' || 'encrypted' in socket) return false;
    if (bufferKey === undefined || callbackKey === undefined) {
      const symbols = Object.getOwnPropertySymbols(socket);
      bufferKey = symbols.find(({ description }) => description === BUFFER_KEY);
      callbackKey = symbols.find(({ description }) => description === CALLBACK_KEY);
    }
    if (bufferKey === undefined || callbackKey === undefined) return false;
    handle.useUserBuffer(shared);
    Object.assign(socket, { [bufferKey]: shared, [callbackKey]: onRead });
    return true;
  };
}
