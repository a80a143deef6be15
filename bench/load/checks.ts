import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { ROOT } from '../rig/paths.ts';
import type { ChecksResult, ChecksSpec } from './spec.ts';

interface Send {
  booking_id: string;
  client_id: string;
  kind: 'text';
  body: { text: string };
}

interface Glance {
  isPlainText: (input: unknown) => boolean;
  plainTextEvent: (text: string) => { data: readonly unknown[] } | undefined;
}

/** So many different messages, so that none is looked at twice in a row. */
const MESSAGES = 1_024;
const NAME = '42["message.send",'.length;

const dist = (path: string): Promise<unknown> => import(join(ROOT, 'packages', path));

/**
 * Each way to know that a `message.send` is what the contract allows: of the object that it was parsed to, and of its packet up to the
 * JSON of its body, which is what is stored.
 */
async function ways(): Promise<Record<string, (message: Send, packet: string) => unknown>> {
  const { SendMessage } = (await dist('contract/dist/commands.js')) as { SendMessage: z.ZodType<Send> };
  const { isPlainText, plainTextEvent } = (await dist('server/dist/gateway/plain-text.js')) as Glance;
  // What JSON Schema cannot say is left open. A format stands there beside its pattern, which is checked.
  const schema = z.toJSONSchema(SendMessage, { io: 'input', unrepresentable: 'any' });
  const ajv = new Ajv({ validateFormats: false, strict: false }).compile<Send>(
    Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema')),
  );
  const read = (packet: string): Send => JSON.parse(packet.slice(NAME, -1)) as Send;
  const bodyOf = (isRight: boolean, { body }: Send) => isRight && JSON.stringify(body);
  return {
    zod: (message) => SendMessage.safeParse(message).success,
    'ajv, of its JSON Schema': (message) => ajv(message),
    'by hand': (message) => isPlainText(message),
    'packet: JSON.parse, zod, JSON.stringify': (_, packet) => {
      const parsed = SendMessage.safeParse(read(packet));
      return bodyOf(parsed.success, parsed.data!);
    },
    'packet: JSON.parse, ajv, JSON.stringify': (_, packet) => {
      const message = read(packet);
      return bodyOf(ajv(message), message);
    },
    'packet: JSON.parse, by hand, JSON.stringify': (_, packet) => {
      const message = read(packet);
      return bodyOf(isPlainText(message), message);
    },
    'packet: one expression': (_, packet) => plainTextEvent(packet),
  };
}

/** Turns of so many messages for each way, nanoseconds for one. */
export async function runChecks({ turns, warmup, textBytes, each }: ChecksSpec): Promise<ChecksResult> {
  const messages = Array.from({ length: MESSAGES }, (_, index): Send => ({
    booking_id: `booking-${index % 200}`,
    client_id: randomUUID(),
    kind: 'text',
    body: { text: `${index} `.padEnd(textBytes, 'x') },
  }));
  const packets = messages.map((message) => `42["message.send",${JSON.stringify(message)}]`);
  const all = Object.entries(await ways());
  const found: ChecksResult['ns'] = Object.fromEntries(all.map(([name]) => [name, []]));
  for (let round = -warmup; round < turns; round += 1) {
    for (const [name, way] of all) {
      let right = 0;
      const from = performance.now();
      for (let index = 0; index < each; index += 1)
        if (way(messages[index % MESSAGES]!, packets[index % MESSAGES]!)) right += 1;
      const tookMs = performance.now() - from;
      if (right !== each) throw new Error(`${name} refused a message`);
      if (round >= 0) found[name]!.push((tookMs * 1e6) / each);
    }
  }
  return { ns: found };
}
