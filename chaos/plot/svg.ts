import type { Spread } from './in-flight.ts';

export interface Line {
  name: string;
  points: readonly Spread[];
}

export interface Plot {
  title: string;
  subtitle: string;
  x: string;
  y: string;
  /** The shaded part, from `low` to `high`, and its bold middle. */
  all: Line;
  /** Thin lines, one colour each. */
  parts: readonly Line[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 66;
const RIGHT = 24;
const TOP = 66;
const BOTTOM = 84;
const COLOURS = ['#b45309', '#6d28d9', '#1d4ed8', '#be123c'];

// A page of its own colour: readable wherever it is shown, on light and on dark.
const STYLE =
  'text{fill:#1f2937}.soft{fill:#4b5563}.page{fill:#ffffff}.grid{stroke:#e5e7eb}.blow{stroke:#111827;stroke-dasharray:4 3}' +
  '.band{fill:#0f766e;fill-opacity:.18}.middle{stroke:#0f766e;stroke-width:2.5;fill:none}.part{stroke-width:1.5;fill:none}';

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const text = (x: number, y: number, value: string, anchor = 'middle', more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${more}>${escape(value)}</text>`;

/** A step of 1, 2 or 5 times a power of ten, for about so many marks. */
function niceStep(length: number, marks: number): number {
  const rough = length / marks;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((each) => each * power).find((step) => step >= rough) ?? power;
}

/** SVG text of a plot: no script, no font of its own. */
export function draw({ title, subtitle, x, y, all, parts }: Plot): string {
  const [first, last] = [all.points[0]?.ms ?? 0, all.points.at(-1)?.ms ?? 1];
  const top = 1.08 * Math.max(1, ...[all, ...parts].flatMap(({ points }) => points.map(({ high }) => high)));
  const right = (ms: number): number => LEFT + ((ms - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const up = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const path = (points: readonly Spread[], value: (one: Spread) => number): string =>
    points.map((one) => `${right(one.ms).toFixed(1)},${up(value(one)).toFixed(1)}`).join(' ');
  const band = `${path(all.points, ({ high }) => high)} ${path(all.points.toReversed(), ({ low }) => low)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escape(`${title}. ${subtitle}`)}" font-family="system-ui, sans-serif" font-size="13">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text(LEFT, 26, title, 'start', 'font-size="16" font-weight="600"'),
    text(LEFT, 46, subtitle, 'start', 'class="soft"'),
    ...marks(0, top, 6).map((value) => rule(up(value), `${value}`)),
    ...marks(first, last, 8).map((ms) => text(right(ms), HEIGHT - BOTTOM + 18, `${ms}`)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, x),
    text(18, (up(0) + TOP) / 2, y, 'middle', `transform="rotate(-90 18 ${(up(0) + TOP) / 2})"`),
    `<line class="blow" x1="${right(0)}" x2="${right(0)}" y1="${TOP - 6}" y2="${up(0)}"/>`,
    `<polygon class="band" points="${band}"/>`,
    ...parts.map(
      ({ points }, index) =>
        `<polyline class="part" stroke="${COLOURS[index % COLOURS.length]}" points="${path(points, ({ middle }) => middle)}"/>`,
    ),
    `<polyline class="middle" points="${path(all.points, ({ middle }) => middle)}"/>`,
    ...legend([all, ...parts].map(({ name }) => name)),
    '</svg>',
    '',
  ].join('\n');
}

function marks(from: number, to: number, about: number): number[] {
  const step = niceStep(to - from, about);
  const out: number[] = [];
  for (let mark = Math.ceil(from / step) * step; mark <= to; mark += step) out.push(mark);
  return out;
}

const rule = (y: number, label: string): string =>
  `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>${text(LEFT - 8, y + 4, label, 'end')}`;

/** Places go by the length of the names: about seven units a letter. */
function legend(names: readonly string[]): string[] {
  let x = LEFT;
  return names.flatMap((name, index) => {
    const [at, colour] = [x, index === 0 ? '#0f766e' : COLOURS[(index - 1) % COLOURS.length]];
    x += 38 + 6.9 * name.length;
    return [
      `<rect x="${at.toFixed(1)}" y="${HEIGHT - 25}" width="14" height="${index === 0 ? 5 : 3}" fill="${colour}"/>`,
      text(at + 20, HEIGHT - 19, name, 'start'),
    ];
  });
}
