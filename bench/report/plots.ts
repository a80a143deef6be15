import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../rig/paths.ts';
import { allTargets } from '../targets/all.ts';
import type { Row } from './row.ts';
import { median, spread } from './stats.ts';
import { bars, lines, type Series } from './svg.ts';

const FOLDER = join(ROOT, 'docs/performance');
const title = (name: string): string => allTargets.find((target) => target.name === name)?.title ?? name;

/** Writes the plots that the rows at hand have figures for; answers their paths. */
export function writePlots(rows: Map<string, Row>): string[] {
  const written: string[] = [];
  const write = (name: string, svg: string) => {
    mkdirSync(FOLDER, { recursive: true });
    const file = join(FOLDER, `${name}.svg`);
    writeFileSync(file, svg);
    written.push(file);
  };
  const throughput = rows.get('throughput');
  if (throughput !== undefined) {
    const all = Object.entries(throughput.figures).map(([name, figures]) => {
      const of = spread(figures['per second'] ?? []);
      return { name: title(name), value: of.median, min: of.min, max: of.max };
    });
    write(
      'throughput',
      bars(
        {
          title: 'Messages a second on one core, database included (relays store nothing)',
          x: '',
          y: 'messages a second',
        },
        all,
      ),
    );
  }
  const curve = rows.get('curve');
  if (curve !== undefined) {
    const p99 = pick(curve, 'offered', 'p99 delivery ms');
    write(
      'latency',
      lines({ title: 'p99 from send to delivery, at rising load', x: 'messages a second', y: 'ms' }, p99, {
        logX: true,
        logY: true,
      }),
    );
    const batches = pick(curve, 'offered', 'per commit');
    write(
      'batches',
      lines(
        { title: 'Messages for one commit, at rising load', x: 'messages a second', y: 'messages' },
        batches,
        { logX: true, logY: true },
      ),
    );
  }
  const memory = rows.get('memory');
  if (memory !== undefined)
    write(
      'memory',
      lines({ title: 'Resident memory of the server, idle sockets', x: 'sockets', y: 'MiB' }, held(memory)),
    );
  return written;
}

/** Each point is the median of the rounds in which the same share of what the server can do was offered. */
function pick(row: Row, x: string, y: string): Series[] {
  return Object.entries(row.figures)
    .map(([name, figures]) => {
      const rounds = Map.groupBy(figures['share']?.keys() ?? [], (at) => figures['share']?.[at]);
      const of = (figure: string, at: readonly number[]) =>
        median(at.map((each) => figures[figure]?.[each] ?? Number.NaN));
      return {
        name: title(name),
        points: [...rounds.values()]
          .map((at) => ({ x: of(x, at), y: of(y, at) }))
          .filter((point) => !Number.isNaN(point.y)),
      };
    })
    .filter((series) => series.points.length > 0);
}

function held(row: Row): Series[] {
  return Object.entries(row.figures).map(([name, figures]) => ({
    name: title(name),
    points: Object.entries(figures)
      .map(([figure, values]) => ({
        x: Number(/^MiB at (\d+)$/.exec(figure)?.[1] ?? Number.NaN),
        y: median(values),
      }))
      .filter((point) => !Number.isNaN(point.x)),
  }));
}
