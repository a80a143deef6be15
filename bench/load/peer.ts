import type { DialectName, TokenPlace } from './spec.ts';
import { Wire } from './wire.ts';

export interface PeerOptions {
  port: number;
  dialect: DialectName;
  tokenPlace: TokenPlace;
  token: string;
  /** The booking to join, or none: then the peer is ready once it is connected. */
  join?: string;
  localAddress?: string;
  onReady: () => void;
  /** `refusal` is the frame when the answer is an error. */
  onAck?: (n: number, refusal: string | null) => void;
  onDelivery?: (n: number) => void;
  onClose: (reason: string) => void;
}

/** Deliveries are recognised by their text: `#` and ten digits, which number the message. */
const TEXT_MARK = Buffer.from('"text":"#');
const DIGITS = 10;
const ZERO = 0x30;
const JOIN_ID = 0;

/** One client of the server: connected, in a booking, and able to send numbered texts. */
export class Peer {
  private readonly wire: Wire;
  private readonly options: PeerOptions;
  private readonly around: readonly [string, string];

  constructor(options: PeerOptions) {
    this.options = options;
    const socketIo = options.dialect === 'socket.io';
    const booking = JSON.stringify(options.join ?? '');
    this.around = socketIo
      ? [`["message.send",{"booking_id":${booking},"client_id":"`, `","kind":"text","body":{"text":"#`]
      : [
          `"event":"message.send","data":{"booking_id":${booking},"client_id":"`,
          `","kind":"text","body":{"text":"#`,
        ];
    const headers = options.tokenPlace === 'header' ? { token: options.token } : {};
    this.wire = new Wire({
      port: options.port,
      path: socketIo
        ? '/socket.io/?EIO=4&transport=websocket&type=web'
        : `/?booking=${encodeURIComponent(options.join ?? '')}`,
      headers,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      onUpgrade: () => {
        if (!socketIo) options.onReady();
      },
      onText: socketIo ? (b, s, e) => this.readSocketIo(b, s, e) : (b, s, e) => this.readJson(b, s, e),
      onClose: options.onClose,
    });
  }

  /** Puts message number `n` aside until `flush`. */
  push(n: number, run: string, filler: string): void {
    const hex = n.toString(16).padStart(12, '0');
    const text = n.toString().padStart(DIGITS, '0') + filler;
    const [before, between] = this.around;
    const payload = `${before}${run}-0000-4000-8000-${hex}${between}${text}"}}`;
    this.wire.push(this.options.dialect === 'socket.io' ? `42${n}${payload}]` : `{"id":${n},${payload}}`);
  }

  flush(): void {
    this.wire.flush();
  }

  close(): void {
    this.wire.close();
  }

  destroy(): void {
    this.wire.destroy();
  }

  private readSocketIo(buffer: Buffer, start: number, end: number): void {
    const type = buffer[start];
    if (type === 0x32) return this.wire.push('3');
    if (type === 0x30) return this.wire.push(this.connectPacket());
    if (type !== 0x34) return;
    const packet = buffer[start + 1];
    if (packet === 0x33) this.readAck(buffer, start + 2, end);
    else if (packet === 0x32) this.readEvent(buffer, start + 2, end);
    else if (packet === 0x30) this.connected();
    else if (packet === 0x34 || packet === 0x31)
      this.options.onClose(`refused: ${buffer.toString('latin1', start, end)}`);
  }

  private connectPacket(): string {
    return this.options.tokenPlace === 'auth' ? `40${JSON.stringify({ token: this.options.token })}` : '40';
  }

  private connected(): void {
    const { join } = this.options;
    if (join === undefined) this.options.onReady();
    else this.wire.push(`42${JOIN_ID}${JSON.stringify(['connection-established', { booking_id: join }])}`);
  }

  private readAck(buffer: Buffer, start: number, end: number): void {
    let id = 0;
    let at = start;
    while (at < end && buffer[at] !== 0x5b) id = id * 10 + buffer[at++]! - ZERO;
    // `[{"data"` or `[{"error"`: the fourth byte tells them apart.
    const refusal = buffer[at + 3] === 0x65 ? buffer.toString('latin1', at, end) : null;
    if (id !== JOIN_ID) this.options.onAck?.(id, refusal);
    else if (refusal === null) this.options.onReady();
    else this.options.onClose(`join refused: ${refusal}`);
  }

  private readEvent(buffer: Buffer, start: number, end: number): void {
    // `["message.created"`: no other event of the contract starts with an m; the tutorial's `exception` must be loud.
    const letter = buffer[start + 2];
    if (letter === 0x6d) this.delivered(buffer, start, end);
    else if (letter === 0x65) this.options.onAck?.(-1, buffer.toString('latin1', start, end));
  }

  private readJson(buffer: Buffer, start: number, end: number): void {
    // `{"ack":17}` or `{"event":…}`
    if (buffer[start + 2] !== 0x61) return this.delivered(buffer, start, end);
    let id = 0;
    for (let at = start + 7; at < end && buffer[at] !== 0x7d; at += 1) id = id * 10 + buffer[at]! - ZERO;
    this.options.onAck?.(id, null);
  }

  private delivered(buffer: Buffer, start: number, end: number): void {
    const mark = buffer.indexOf(TEXT_MARK, start);
    if (mark < 0 || mark >= end) return;
    let n = 0;
    const first = mark + TEXT_MARK.length;
    for (let at = first; at < first + DIGITS; at += 1) n = n * 10 + buffer[at]! - ZERO;
    this.options.onDelivery?.(n);
  }
}

/** Opens peers, a bounded number at a time, and waits until each is ready. */
export async function openAll<T>(
  items: readonly T[],
  options: (item: T, index: number) => Omit<PeerOptions, 'onReady'>,
  concurrency = 64,
): Promise<Peer[]> {
  const peers: Peer[] = Array.from({ length: items.length });
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      peers[index] = await openWithin(OPEN_ATTEMPTS, options(items[index]!, index));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return peers;
}

const OPEN_WITHIN_MS = 30_000;
/** A server that has just been started may ask to come again, as `unavailable` does. */
const OPEN_ATTEMPTS = 4;

async function openWithin(attempts: number, options: Omit<PeerOptions, 'onReady'>): Promise<Peer> {
  try {
    return await openPeer(options);
  } catch (error) {
    if (attempts <= 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return openWithin(attempts - 1, options);
  }
}

export function openPeer(options: Omit<PeerOptions, 'onReady'>): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a peer was not ready within 30 s')), OPEN_WITHIN_MS);
    let ready = false;
    const peer = new Peer({
      ...options,
      onReady: () => {
        ready = true;
        clearTimeout(timer);
        resolve(peer);
      },
      onClose: (reason) => {
        clearTimeout(timer);
        if (ready) options.onClose(reason);
        else reject(new Error(`a peer could not connect: ${reason}`));
      },
    });
  });
}
