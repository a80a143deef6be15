import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP line to a server that can be cut at a byte, in either direction, and that can fall silent. */
export class BadLine {
  private readonly pairs = new Set<Socket>();
  private silent = false;
  /** Connections that were cut. */
  cuts = 0;

  private constructor(
    private readonly server: Server,
    private readonly bytesUntilCut: () => number,
  ) {}

  /** `bytesUntilCut` is asked for each connection: how many bytes may pass before both ends are reset. */
  static async to(target: string, bytesUntilCut: () => number = () => Infinity): Promise<BadLine> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    const line = new BadLine(server, bytesUntilCut);
    server.on('connection', (near) => line.join(near, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing passes and nobody is told, as when a phone goes into a tunnel; connections made meanwhile too. */
  fallSilent(): void {
    this.silent = true;
  }

  /** New connections pass again; the ones that were silent stay so. */
  recover(): void {
    this.silent = false;
  }

  async close(): Promise<void> {
    for (const socket of this.pairs) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(near: Socket, far: Socket): void {
    let left = this.bytesUntilCut();
    let dead = false;
    const cut = (): void => {
      if (left <= 0) this.cuts += 1;
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.pairs.add(from);
      from.on('data', (chunk: Buffer) => {
        dead ||= this.silent;
        if (dead) return;
        const part = chunk.subarray(0, Math.max(0, left));
        left -= chunk.length;
        to.write(part, () => left <= 0 && cut());
      });
      // Both ends are torn down together; the reason does not matter to a line.
      from.on('error', cut);
      from.on('close', () => {
        this.pairs.delete(from);
        if (!dead) to.destroy();
      });
    }
  }
}
