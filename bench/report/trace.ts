import { median } from './stats.ts';

/** What one message goes through on the core that the server and PostgreSQL share, and what begins each part of it. */
const PARTS = [
  'the server wakes and has read the message',
  'it judges it, until it asks PostgreSQL',
  'it ends its turn, and PostgreSQL has the core',
  'PostgreSQL runs the statement, until it writes its log',
  'that is written, and flushed: the disk',
  'PostgreSQL answers',
  'the server wakes and has read the answer',
  'until it writes the ack',
  'the ack is written',
  'the delivery, until the core is free again',
] as const;

const CALL = { read: 0, write: 1, pwrite: 18, writev: 20, sendto: 44, fsync: 74, fdatasync: 75 };
const LINE = /^\s*(.+?)\s+\d+\s+([\d.]+):\s+(?:\w+:)?(\w+):\s*(.*)$/;

interface Event {
  comm: string;
  us: number;
  name: string;
  detail: string;
}

/** The steps in their order: each says whether an event is its beginning. */
const STEPS: readonly ((event: Event) => boolean)[] = [
  ({ name, comm, detail }) => name === 'sched_switch' && comm.startsWith('swapper') && to(detail, 'node'),
  (event) => call(event, 'node', 'sys_exit', CALL.read),
  (event) => call(event, 'node', 'sys_enter', CALL.write, CALL.writev),
  ({ name, detail }) => name === 'sched_switch' && to(detail, 'postgres'),
  (event) => call(event, 'postgres', 'sys_enter', CALL.pwrite),
  (event) => call(event, 'postgres', 'sys_exit', CALL.fdatasync, CALL.fsync),
  (event) => call(event, 'postgres', 'sys_enter', CALL.sendto),
  (event) => call(event, 'node', 'sys_exit', CALL.read),
  (event) => call(event, 'node', 'sys_enter', CALL.write, CALL.writev),
  (event) => call(event, 'node', 'sys_exit', CALL.write, CALL.writev),
  ({ name, comm }) => name === 'sched_switch' && comm.startsWith('node'),
];

const to = (detail: string, comm: string): boolean => detail.includes(`next_comm=${comm}`);

function call({ comm, name, detail }: Event, of: string, edge: string, ...numbers: number[]): boolean {
  if (name !== edge || !comm.startsWith(of)) return false;
  const number = /^NR (\d+)/.exec(detail)?.[1];
  return number !== undefined && numbers.includes(Number(number));
}

/** Lines that say how long each part of a message took, from what `perf script -F comm,tid,time,event,trace` printed of one core. */
export function describeTrace(script: string): string[] {
  const parts: number[][] = PARTS.map(() => []);
  let at: number[] = [];
  for (const line of script.split('\n')) {
    const [, comm, seconds, name, detail] = LINE.exec(line) ?? [];
    if (comm === undefined || name === undefined || detail === undefined) continue;
    const event = { comm, us: Number(seconds) * 1e6, name, detail };
    // Something else came first: it is another message's beginning.
    if (at.length > 0 && at.length < 3 && STEPS[0]?.(event)) at = [];
    if (!STEPS[at.length]?.(event)) continue;
    at.push(event.us);
    if (at.length < STEPS.length) continue;
    for (const [part, took] of parts.entries()) took.push((at[part + 1] ?? 0) - (at[part] ?? 0));
    at = [];
  }
  const messages = parts[0]?.length ?? 0;
  return [
    `${messages} messages, median µs of each part (tracing makes them longer):`,
    ...PARTS.map(
      (part, index) =>
        `${median(parts[index] ?? [])
          .toFixed(0)
          .padStart(8)}  ${part}`,
    ),
  ];
}
