interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

/** A V8 CPU profile, as the inspector's `Profiler.stop` gives it. */
export interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

const NOT_WORK = new Set(['(idle)', '(root)']);

/** A node of the tree that the inspector's `HeapProfiler.getSamplingProfile` gives: what is alive, by who allocated it. */
export interface HeapNode {
  callFrame: ProfileNode['callFrame'];
  selfSize: number;
  children: HeapNode[];
}

/** Lines that say what is kept for each of so many things, in bytes. */
export function describeHeap(head: HeapNode, things: number, top = 45): string[] {
  const own = new Map<string, number>();
  const all = new Map<string, number>();
  let total = 0;
  const walk = (node: HeapNode, above: Set<string>): number => {
    const name = `${node.callFrame.functionName || '(anonymous)'}  ${where(node)}`;
    const within = above.has(name) ? above : new Set(above).add(name);
    add(own, name, node.selfSize);
    total += node.selfSize;
    let size = node.selfSize;
    for (const child of node.children) size += walk(child, within);
    if (within !== above) add(all, name, size);
    return size;
  };
  walk(head, new Set());
  const lines = (map: Map<string, number>) =>
    [...map]
      .sort(([, a], [, b]) => b - a)
      .slice(0, top)
      .map(
        ([name, bytes]) =>
          `${Math.round(bytes / things)
            .toString()
            .padStart(8)}  ${name}`,
      );
  return [
    `${Math.round(total / things)} bytes`,
    '',
    'by function (its own):',
    ...lines(own),
    '',
    'by function (with what it calls):',
    ...lines(all),
  ];
}

interface Sampled {
  head: HeapNode;
  messages: number;
}

/** Lines that say what is allocated for each message and how much of it is kept, by function and its caller. */
export function describeKept(kept: Sampled, all: Sampled, top = 45): string[] {
  const [some, whole] = [bytesByCaller(kept), bytesByCaller(all)];
  const column = (bytes: number) => bytes.toFixed(0).padStart(8);
  return [...whole]
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([name, bytes]) => {
      const still = some.get(name) ?? 0;
      return `${column(bytes)} ${column(still)} ${((still / bytes) * 100).toFixed(1).padStart(6)} %  ${name}`;
    });
}

function bytesByCaller({ head, messages }: Sampled): Map<string, number> {
  const bytes = new Map<string, number>();
  const walk = (node: HeapNode, caller: string): void => {
    const name = `${node.callFrame.functionName || '(anonymous)'}  ${where(node)}`;
    if (node.selfSize > 0) add(bytes, `${name} < ${caller}`, node.selfSize / messages);
    for (const child of node.children) walk(child, name);
  };
  walk(head, '');
  return bytes;
}

/** Lines that say where the time of a profile went, in microseconds for each of `messages`. */
export function describeProfile(profile: CpuProfile, messages: number, top = 45): string[] {
  const self = new Map<number, number>();
  for (const [i, node] of profile.samples.entries()) {
    self.set(node, (self.get(node) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  let work = 0;
  for (const node of profile.nodes) {
    const us = self.get(node.id) ?? 0;
    if (us <= 0 || NOT_WORK.has(node.callFrame.functionName)) continue;
    work += us;
    add(byFunction, `${node.callFrame.functionName || '(anonymous)'}  ${where(node)}`, us);
    add(byPlace, place(node), us);
  }
  const line = ([name, us]: [string, number]) =>
    `${(us / messages).toFixed(2).padStart(8)} µs ${((100 * us) / work).toFixed(1).padStart(5)} %  ${name}`;
  const sorted = (map: Map<string, number>) => [...map].sort(([, a], [, b]) => b - a);
  return [
    `${(work / messages).toFixed(1)} µs of the main thread a message, ${messages} messages`,
    '',
    'by package or folder:',
    ...sorted(byPlace).slice(0, 25).map(line),
    '',
    'by function (own time):',
    ...sorted(byFunction).slice(0, top).map(line),
    '',
    'by function (with what it calls):',
    ...sorted(inclusive(profile, self)).slice(0, top).map(line),
  ];
}

function add(map: Map<string, number>, key: string, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}

function where(node: Pick<ProfileNode, 'callFrame'>): string {
  const { url, lineNumber } = node.callFrame;
  const file = url
    .replace(/^file:\/\//, '')
    .replace(/^.*?\/(?=node_modules\/|packages\/|apps\/|bench\/)/, '');
  return file === '' ? '' : `${file}:${lineNumber + 1}`;
}

function place(node: ProfileNode): string {
  const { url, functionName } = node.callFrame;
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return dependency ?? /(packages|apps|bench)\/.*(?=\/)/.exec(url)?.[0] ?? url;
}

/** Time under each function; a function that calls itself counts once. */
function inclusive(profile: CpuProfile, self: Map<number, number>): Map<string, number> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const result = new Map<string, number>();
  const walk = (node: ProfileNode, above: Set<string>): number => {
    const name = `${node.callFrame.functionName || '(anonymous)'}  ${where(node)}`;
    const first = !above.has(name);
    const within = first ? new Set(above).add(name) : above;
    let us = self.get(node.id) ?? 0;
    for (const child of node.children ?? []) us += walk(byId.get(child)!, within);
    if (first && !NOT_WORK.has(node.callFrame.functionName)) add(result, name, us);
    return us;
  };
  const [root] = profile.nodes;
  if (root !== undefined) walk(root, new Set());
  return result;
}
