import { createServer, connect, type Server, type Socket } from 'node:net';
import { Frames, textOf } from './frames.ts';
import { sleep } from './shell.ts';

/** Where a connection is cut, seen from a `message.send`. */
export const CUT_POINTS = [
  'before-request',
  'inside-request',
  'after-request',
  'before-ack',
  'inside-ack',
] as const;
export type CutPoint = (typeof CUT_POINTS)[number];

const QUEUE_BYTES = 64 * 1_024;
/** Long enough for the server to have read and begun what was forwarded just before a cut. */
const FLUSH_MS = 20;

/**
 * The way of one client to the server, frame by frame: it can be cut before, inside or after a request or its ack,
 * slowed down, closed to new connections, or made to swallow everything without telling either side.
 */
export class Proxy {
  readonly #target: () => number;
  readonly #links = new Set<Link>();
  #listener: Server | undefined;
  /** Bytes a second in each direction; 0 for no bound. */
  rate = 0;
  refusing = false;
  swallowing = false;
  #cutting: { point: CutPoint; take: () => boolean } | undefined;
  /** How often each point was really cut. */
  readonly cuts: Partial<Record<CutPoint, number>> = {};

  constructor(target: () => number) {
    this.#target = target;
  }

  /** Listens on an address of this machine; returns the port. */
  async listen(host: string): Promise<number> {
    const listener = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(0, host, resolve));
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  }

  /** Cuts at this point, for each request for which `take` says so. */
  cutAt(point: CutPoint | undefined, take: () => boolean = () => true): void {
    this.#cutting = point === undefined ? undefined : { point, take };
  }

  cutAll(): void {
    for (const link of this.#links) link.cut();
  }

  /** What goes through existing connections is lost from now on, and neither side hears of it. */
  swallow(): void {
    this.swallowing = true;
    for (const link of this.#links) link.swallowing = true;
  }

  heal(): void {
    this.rate = 0;
    this.refusing = false;
    this.swallowing = false;
    this.cutAt(undefined);
  }

  close(): void {
    this.cutAll();
    this.#listener?.close();
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.refusing) return void client.destroy();
    const server = connect({ host: '127.0.0.1', port: this.#target(), noDelay: true });
    const link = new Link(client, server, {
      rate: () => this.rate,
      wish: (point) => {
        if (this.#cutting?.point !== point || !this.#cutting.take()) return false;
        this.cuts[point] = (this.cuts[point] ?? 0) + 1;
        return true;
      },
      gone: () => this.#links.delete(link),
    });
    link.swallowing = this.swallowing;
    this.#links.add(link);
  }
}

interface LinkPorts {
  rate(): number;
  wish(point: CutPoint): boolean;
  gone(): void;
}

class Link {
  swallowing = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #ports: LinkPorts;
  /** Ids of Socket.IO acks whose connection is to be cut when they come. */
  readonly #doomed = new Map<string, CutPoint>();
  #cut = false;

  constructor(client: Socket, server: Socket, ports: LinkPorts) {
    this.#client = client;
    this.#server = server;
    this.#ports = ports;
    this.#pump(client, server, (unit) => this.#asked(unit));
    this.#pump(server, client, (unit) => this.#answered(unit));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        // A half-open link: the other side is not told that this one has gone.
        if (!this.swallowing) other.destroy();
        if (client.destroyed && server.destroyed) ports.gone();
      });
    }
  }

  cut(): void {
    this.#cut = true;
    this.#client.destroy();
    this.#server.destroy();
  }

  #pump(from: Socket, to: Socket, judge: (unit: Buffer) => Buffer | undefined): void {
    const frames = new Frames();
    const queue: Buffer[] = [];
    let bytes = 0;
    let running = false;
    const run = async (): Promise<void> => {
      for (let unit = queue.shift(); unit !== undefined && !this.#cut; unit = queue.shift()) {
        bytes -= unit.length;
        if (bytes < QUEUE_BYTES) from.resume();
        const rate = this.#ports.rate();
        if (rate > 0) await sleep((unit.length / rate) * 1_000);
        const out = judge(unit);
        if (this.swallowing || out === undefined || to.destroyed) continue;
        if (!to.write(out))
          await new Promise<void>((resolve) => void to.once('drain', resolve).once('close', resolve));
      }
      running = false;
    };
    from.on('data', (chunk: Buffer) => {
      for (const unit of frames.push(chunk)) {
        queue.push(unit);
        bytes += unit.length;
      }
      if (bytes >= QUEUE_BYTES) from.pause();
      if (running) return;
      running = true;
      void run();
    });
  }

  /** Client to server. */
  #asked(unit: Buffer): Buffer | undefined {
    const text = textOf(unit);
    const id = /^42(\d+)\["message\.send"/.exec(text)?.[1];
    if (id === undefined) return unit;
    if (this.#ports.wish('before-request')) {
      this.cut();
      return undefined;
    }
    if (this.#ports.wish('inside-request')) {
      this.#server.write(unit.subarray(0, unit.length >> 1));
      setTimeout(() => this.cut(), FLUSH_MS);
      this.#cut = true;
      return undefined;
    }
    if (this.#ports.wish('after-request')) {
      this.#server.write(unit);
      this.#client.destroy();
      setTimeout(() => this.cut(), FLUSH_MS);
      return undefined;
    }
    for (const point of ['before-ack', 'inside-ack'] as const)
      if (this.#ports.wish(point)) this.#doomed.set(id, point);
    return unit;
  }

  /** Server to client. */
  #answered(unit: Buffer): Buffer | undefined {
    if (this.#doomed.size === 0) return unit;
    const id = /^43(\d+)\[/.exec(textOf(unit))?.[1];
    const point = id === undefined ? undefined : this.#doomed.get(id);
    if (point === undefined) return unit;
    if (point === 'inside-ack') this.#client.write(unit.subarray(0, unit.length >> 1));
    setTimeout(() => this.cut(), point === 'inside-ack' ? FLUSH_MS : 0);
    this.#cut = true;
    return undefined;
  }
}
