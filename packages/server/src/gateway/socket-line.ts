import type { Line } from '../fanout/fanout.js';
import type { Packet } from '../fanout/packet.js';
import { leanSocketOf, type EngineConnection } from './engine-connection.js';
import type { Outgoing, SlowConsumers } from './slow-consumers.js';

/** How one client is written to: past engine.io where a websocket of ours is ready, else through it. */
export class SocketLine implements Line {
  constructor(
    private readonly conn: EngineConnection,
    private readonly slow: SlowConsumers,
    private readonly outgoing: Outgoing,
  ) {}

  write(packet: Packet): void {
    const socket = leanSocketOf(this.conn);
    if (socket === undefined) {
      this.conn.write(packet.text, { compress: false });
      return;
    }
    this.slow.watchWrite(this.conn, this.outgoing, packet.text.length);
    socket.push(packet.frame);
  }
}
