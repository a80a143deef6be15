import { Socket } from 'node:net';

/** A write of which the network has not taken all yet. */
export interface PendingWrite {
  /** Called with 0 when the rest has been taken, or with a negative error of libuv. */
  oncomplete: (status: number) => void;
  /** Bytes that must stay where they are until then. */
  buffer: Uint8Array | null;
}

/** 0: the network has taken all. Negative: an error of libuv, the connection is of no use any more. Undefined: the handle is closed. */
export type WriteOutcome = number | undefined | PendingWrite;

/** What lies below a socket, as Node itself writes to it. */
export interface WritableHandle {
  writeLatin1String(request: null, text: string): WriteOutcome;
  writeBuffer(request: null, bytes: Uint8Array): WriteOutcome;
}

/** Whether this Node asks handles without an object for each request, which older ones may not be asked without. */
let isPossible: boolean | undefined;

/**
 * Where a socket can be written to past its stream: a stream costs each write several objects, a turn of `nextTick`, and its own state to look
 * at, which of thousands of sockets is in no cache. The handle keeps the order, also with what the stream writes, and with `end`. Undefined
 * where this Node, or this socket, does not allow it: then `socket.write` is the way.
 */
export function writableHandleOf(socket: Socket): WritableHandle | undefined {
  isPossible ??= asksWithoutRequest();
  if (!isPossible || 'encrypted' in socket) return undefined;
  return (socket as unknown as { _handle?: WritableHandle | null })._handle ?? undefined;
}

/** Writes a text of latin1, or bytes. Who gets a pending write must set its `oncomplete` in the same turn. */
export function writeDirectly(handle: WritableHandle, data: string | Uint8Array): WriteOutcome {
  if (typeof data === 'string') return handle.writeLatin1String(null, data);
  const outcome = handle.writeBuffer(null, data);
  if (typeof outcome === 'object') outcome.buffer = data;
  return outcome;
}

/** Asks a socket how it writes, over a handle that is none: an older Node would end the process if asked itself. */
function asksWithoutRequest(): boolean {
  let request: unknown;
  const write = (given: unknown): number => {
    request = given;
    return 0;
  };
  const nothing = (): number => 0;
  const handle = {
    writeLatin1String: write,
    writeUtf8String: write,
    readStart: nothing,
    readStop: nothing,
    close: nothing,
  };
  try {
    const socket = new Socket({ handle, readable: false, writable: true } as object);
    socket.on('error', nothing).write('?', 'latin1');
    socket.destroy();
  } catch {
    return false;
  }
  return request === null;
}
