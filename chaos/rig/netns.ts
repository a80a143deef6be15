import { isRoot, sh, tried } from './shell.ts';

/** A network namespace with one cable to this machine. Its people reach the proxy at `host`, and nothing else. */
export interface Netns {
  readonly name: string;
  readonly host: string;
  /** Nothing comes through, in both directions, and nobody is told. */
  dropAll(): void;
  /** Each packet is lost with this probability, in both directions. */
  lose(probability: number): void;
  heal(): void;
  remove(): void;
}

/** Why namespaces cannot be used here; undefined when they can. */
export function whyNoNetns(): string | undefined {
  if (!isRoot) return 'this is not root';
  const name = `chaos-try-${process.pid}`;
  try {
    sh('ip', 'netns', 'add', name);
    sh(
      'ip',
      'netns',
      'exec',
      name,
      'iptables',
      '-A',
      'INPUT',
      '-m',
      'statistic',
      '--mode',
      'random',
      '--probability',
      '0.5',
      '-j',
      'DROP',
    );
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  } finally {
    tried('ip', 'netns', 'del', name);
  }
}

/** Makes one; addresses are of the block for benchmarks (RFC 2544), in a /30 that the process id chooses. */
export function makeNetns(index: number): Netns {
  const name = `chaos-${process.pid}-${index}`;
  const [near, far] = [`ch${process.pid % 100_000}n${index}`, `ch${process.pid % 100_000}f${index}`];
  const block = `198.${18 + (index % 2)}.${process.pid % 251}`;
  const [host, guest] = [`${block}.1`, `${block}.2`];
  const rule = (...args: string[]): string => sh('ip', 'netns', 'exec', name, 'iptables', ...args);
  sh('ip', 'netns', 'add', name);
  try {
    sh('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
    sh('ip', 'addr', 'add', `${host}/30`, 'dev', near);
    sh('ip', 'link', 'set', near, 'up');
    sh('ip', '-n', name, 'addr', 'add', `${guest}/30`, 'dev', far);
    sh('ip', '-n', name, 'link', 'set', far, 'up');
    sh('ip', '-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    tried('ip', 'netns', 'del', name);
    tried('ip', 'link', 'del', near);
    throw error;
  }
  return {
    name,
    host,
    dropAll: () => {
      for (const chain of ['INPUT', 'OUTPUT']) rule('-A', chain, '-j', 'DROP');
    },
    lose: (probability) => {
      for (const chain of ['INPUT', 'OUTPUT'])
        rule(
          '-A',
          chain,
          '-m',
          'statistic',
          '--mode',
          'random',
          '--probability',
          probability.toFixed(2),
          '-j',
          'DROP',
        );
    },
    heal: () => void rule('-F'),
    remove: () => {
      tried('ip', 'link', 'del', near);
      tried('ip', 'netns', 'del', name);
    },
  };
}
