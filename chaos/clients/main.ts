// One process of clients: node chaos/clients/main.ts <spec.json>; orders come on standard input.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Random } from '../rig/random.ts';
import { RawClient } from './raw-client.ts';
import { Recorder } from './recorder.ts';
import { SdkClient } from './sdk-client.ts';
import type { Order, ProcessSpec, Report } from './spec.ts';

const {
  clients: specs,
  folder,
  seed,
  life,
} = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ProcessSpec;
const say = (report: Report): void => void process.stdout.write(`${JSON.stringify(report)}\n`);

const clients = specs.map((spec, index) => {
  const recorder = new Recorder(join(folder, `${spec.name}.jsonl`));
  recorder.write('born', {
    name: spec.name,
    kind: spec.kind,
    person: spec.person,
    bookings: spec.bookings,
    transport: spec.transport,
    life,
  });
  const random = new Random(seed * 1_000 + life * 100 + index);
  return spec.kind === 'sdk'
    ? new SdkClient(spec, life, recorder, random, folder)
    : new RawClient(spec, life, recorder, random);
});
await Promise.all(clients.map((client) => client.start()));
say({ report: 'running' });

async function obey(order: Order): Promise<void> {
  if (order.order === 'finish') {
    await Promise.all(clients.map((client) => client.drain()));
    return say({ report: 'drained' });
  }
  await Promise.all(clients.map((client) => client.end(order.heads, order.withinMs)));
  say({ report: 'ended' });
  process.exit(0);
}

const orders = createInterface({ input: process.stdin });
orders.on('line', (line) => void obey(JSON.parse(line) as Order));
// Whoever started us is gone.
orders.on('close', () => process.exit(1));
