import { expect, test } from 'vitest';
import { describeTrace } from './trace.ts';

const NODE = 'node-MainThread  5';
const POSTGRES = 'postgres  7';
const switched = (from: string, to: string) =>
  `sched:sched_switch: prev_comm=${from} prev_pid=1 prev_prio=120 prev_state=R ==> next_comm=${to} next_pid=2 next_prio=120`;

/** The steps of one message, and how long after the one before each comes. */
const STEPS: readonly [who: string, what: string, us: number][] = [
  ['swapper/0  0', switched('swapper/0', 'node-MainThread'), 0],
  [NODE, 'raw_syscalls:sys_exit: NR 0 = 181', 16],
  [NODE, 'raw_syscalls:sys_enter: NR 1 (15, 7f, b5, 0, 0, 0)', 86],
  [NODE, switched('node-MainThread', 'postgres'), 37],
  [POSTGRES, 'raw_syscalls:sys_enter: NR 18 (14, 7f, 2000, 4000, 0, 0)', 211],
  [POSTGRES, 'raw_syscalls:sys_exit: NR 75 = 0', 358],
  [POSTGRES, 'raw_syscalls:sys_enter: NR 44 (9, 55, 66, 0, 0, 0)', 17],
  [NODE, 'raw_syscalls:sys_exit: NR 0 = 102', 35],
  [NODE, 'raw_syscalls:sys_enter: NR 1 (16, 7f, 120, 0, 0, 0)', 87],
  [NODE, 'raw_syscalls:sys_exit: NR 1 = 288', 21],
  [NODE, switched('node-MainThread', 'swapper/0'), 60],
];

function script(steps: readonly [string, string, number][], atUs: number): string[] {
  let us = atUs;
  return steps.map(([who, what, after]) => {
    us += after;
    return ` ${who}  ${(us / 1e6).toFixed(6)}: ${what}`;
  });
}

test('a message is told by its parts, in microseconds', () => {
  const [first, ...parts] = describeTrace(script(STEPS, 5_000_000).join('\n'));
  expect(first).toMatch(/^1 messages/);
  expect(parts.map((line) => Number.parseInt(line, 10))).toEqual(STEPS.slice(1).map(([, , us]) => us));
});

test('what others do in between is no part of a message, and one that was begun in vain is not counted', () => {
  const lines = [
    ...script(STEPS.slice(0, 2), 1_000_000),
    ...script(STEPS, 2_000_000),
    'a line that is none',
    ...script(STEPS, 3_000_000),
  ];
  lines.splice(6, 0, ` redis-server  9  2.000150: raw_syscalls:sys_exit: NR 75 = 0`);
  const [first, wakes] = describeTrace(lines.join('\n'));
  expect(first).toMatch(/^2 messages/);
  expect(wakes).toMatch(/^ +16 {2}the server wakes/);
});
