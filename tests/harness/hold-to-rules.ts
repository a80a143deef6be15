import { Transport } from 'engine.io-client';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll } from 'vitest';
import { brokenPacketRule } from './packet-rules.js';
import { packetsFile } from './packets-heard.js';

/**
 * vitest's `setupFiles`: every packet that reaches any client in the process of a test, `socket.io-client` or the SDK,
 * by websocket or polling, is looked at below that client as it comes. One that breaks a rule fails the file.
 */

const TYPES: Record<string, string> = {
  open: '0',
  close: '1',
  ping: '2',
  pong: '3',
  message: '4',
  upgrade: '5',
  noop: '6',
};
interface Received {
  type: string;
  data?: unknown;
}
/** What a transport does with a packet; engine.io-client calls it protected: made for transports of one's own. */
interface Receiving {
  name: string;
  onPacket(packet: Received): void;
}

const heard = { websocket: 0, polling: 0 };
const broken: string[] = [];
const transports = Transport.prototype as unknown as Receiving;
const receive: (this: Receiving, packet: Received) => void = Reflect.get(transports, 'onPacket');
transports.onPacket = function (packet) {
  hold(this.name, packet);
  receive.call(this, packet);
};

function hold(transport: string, { type, data }: Received): void {
  heard[transport === 'polling' ? 'polling' : 'websocket'] += 1;
  const isText = data === undefined || data === null || typeof data === 'string';
  const text = isText ? `${TYPES[type] ?? type}${data ?? ''}` : undefined;
  const rule = brokenPacketRule(text);
  if (rule !== undefined) broken.push(`by ${transport}, ${rule}: ${text?.slice(0, 500) ?? type}`);
}

afterAll(() => {
  mkdirSync(dirname(packetsFile()), { recursive: true });
  appendFileSync(packetsFile(), `${JSON.stringify(heard)}\n`);
  if (broken.length > 0) throw new Error(`the server broke a rule:\n${broken.join('\n')}`);
});
