import { spread, show, type Spread } from './stats.ts';

/** The figures of one server in one row: a name for each, a value for each round. */
export type Figures = Record<string, number[]>;

/** One line of the table that the bench must show. */
export interface Row {
  name: string;
  what: string;
  /** The ratio, one a round, or none when one side was not run. */
  ratios: number[];
  sense: 'at least' | 'at most';
  target: number;
  beyond: number;
  figures: Record<string, Figures>;
  /** False when a message was lost, doubled or not stored. */
  whole: boolean;
  notes: string[];
  at: string;
}

export function newRow(row: Pick<Row, 'name' | 'what' | 'sense' | 'target' | 'beyond'>): Row {
  return { ...row, ratios: [], figures: {}, whole: true, notes: [], at: new Date().toISOString() };
}

export function note(row: Row, target: string, figures: Record<string, number>): void {
  const of = (row.figures[target] ??= {});
  for (const [name, value] of Object.entries(figures)) (of[name] ??= []).push(value);
}

/** Ratio of the last round of two servers for one figure, when both have it. */
export function ratio(row: Row, above: string, below: string, figure: string): void {
  const a = row.figures[above]?.[figure]?.at(-1);
  const b = row.figures[below]?.[figure]?.at(-1);
  if (a !== undefined && b !== undefined && b !== 0) row.ratios.push(a / b);
}

function verdict(row: Row, of: Spread): string {
  if (!row.whole) return 'WRONG: messages lost or doubled';
  if (Number.isNaN(of.median)) return 'not run';
  const holds = (bound: number) => (row.sense === 'at least' ? of.median >= bound : of.median <= bound);
  if (holds(row.beyond)) return 'beyond';
  return holds(row.target) ? 'pass' : 'missed';
}

export function printRow(row: Row): string {
  const lines = [`\n## ${row.name}: ${row.what}`];
  for (const [target, figures] of Object.entries(row.figures)) {
    const parts = Object.entries(figures).map(([name, values]) => {
      const of = spread(values);
      return `${name} ${show(of, of.median < 10 ? 2 : of.median < 100 ? 1 : 0)}`;
    });
    lines.push(`  ${target.padEnd(16)} ${parts.join(' · ')}`);
  }
  for (const each of row.notes) lines.push(`  ${each}`);
  return lines.join('\n');
}

export function printTable(rows: Row[]): string {
  const cells = rows.map((row) => {
    const of = spread(row.ratios);
    const sign = row.sense === 'at least' ? '≥' : '≤';
    return [
      row.name,
      row.what,
      `${show(of, 2)} ×`,
      `${sign} ${row.target} ×`,
      `${sign} ${row.beyond} ×`,
      verdict(row, of),
    ];
  });
  const head = ['row', 'what', 'ratio: median (range)', 'target', 'beyond', 'verdict'];
  const all = [head, head.map(() => '---'), ...cells];
  return all.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
