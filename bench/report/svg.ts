/** Plots as SVG text, readable on light and dark pages: no dependency, no script. */

export interface Series {
  name: string;
  points: { x: number; y: number }[];
}

interface Frame {
  title: string;
  x: string;
  y: string;
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 20;
const TOP = 46;
const BOTTOM = 76;
const COLOURS = ['#0f766e', '#b45309', '#6d28d9', '#be123c', '#1d4ed8', '#4d7c0f'];

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const short = (value: number): string => {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return `${Number(value.toPrecision(3))}`;
};

function text(x: number, y: number, value: string, anchor = 'middle', extra = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${extra}>${escape(value)}</text>`;
}

function page(frame: Frame, body: string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(frame.title)}" font-family="system-ui, sans-serif" font-size="13">`,
    '<style>text{fill:#1f2937}.grid{stroke:#d1d5db;stroke-width:1}.page{fill:#ffffff}</style>',
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text(LEFT, 26, frame.title, 'start', 'font-size="16" font-weight="600"'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, frame.x),
    text(
      16,
      (TOP + HEIGHT - BOTTOM) / 2,
      frame.y,
      'middle',
      `transform="rotate(-90 16 ${(TOP + HEIGHT - BOTTOM) / 2})"`,
    ),
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function linear(max: number, from: number, to: number): { scale: Scale; ticks: number[] } {
  const step = niceStep(max / 5);
  const ticks: number[] = [];
  for (let tick = 0; tick <= max + step * 0.01; tick += step) ticks.push(tick);
  return { scale: (value) => from + ((to - from) * value) / max, ticks };
}

function logarithmic(min: number, max: number, from: number, to: number): { scale: Scale; ticks: number[] } {
  const low = Math.floor(Math.log10(min));
  const high = Math.max(low + 1, Math.ceil(Math.log10(max)));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { scale: (value) => from + ((to - from) * (Math.log10(value) - low)) / (high - low), ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough) ?? power;
}

function grid(y: { scale: Scale; ticks: number[] }): string[] {
  return y.ticks.flatMap((tick) => [
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.scale(tick).toFixed(1)}" y2="${y.scale(tick).toFixed(1)}"/>`,
    text(LEFT - 8, y.scale(tick) + 4, short(tick), 'end'),
  ]);
}

export interface Bar {
  name: string;
  value: number;
  min: number;
  max: number;
}

/** Bars with their values and their range over the rounds. */
export function bars(frame: Frame, all: Bar[]): string {
  const y = linear(Math.max(...all.map((bar) => bar.max)) * 1.12, HEIGHT - BOTTOM, TOP);
  const slot = (WIDTH - LEFT - RIGHT) / all.length;
  const body = all.flatMap((bar, i) => {
    const x = LEFT + slot * i + slot * 0.18;
    const middle = LEFT + slot * (i + 0.5);
    return [
      `<rect x="${x.toFixed(1)}" y="${y.scale(bar.value).toFixed(1)}" width="${(slot * 0.64).toFixed(1)}" height="${(y.scale(0) - y.scale(bar.value)).toFixed(1)}" fill="${COLOURS[i % COLOURS.length]}"/>`,
      `<line x1="${middle}" x2="${middle}" y1="${y.scale(bar.min).toFixed(1)}" y2="${y.scale(bar.max).toFixed(1)}" stroke="#111827" stroke-width="2"/>`,
      text(middle, y.scale(bar.max) - 7, short(bar.value), 'middle', 'font-weight="600"'),
      text(middle, HEIGHT - BOTTOM + 18, bar.name),
    ];
  });
  return page(frame, [...grid(y), ...body]);
}

/** Lines with points; both axes start at zero, or are logarithmic. */
export function lines(frame: Frame, all: Series[], options: { logX?: boolean; logY?: boolean } = {}): string {
  const points = all.flatMap((series) => series.points);
  const range = (axis: 'x' | 'y') => points.map((point) => point[axis]).filter((value) => value > 0);
  const axis = (name: 'x' | 'y', log: boolean | undefined, from: number, to: number) =>
    log === true
      ? logarithmic(Math.min(...range(name)), Math.max(...range(name)), from, to)
      : linear(Math.max(...range(name)) * 1.05, from, to);
  const x = axis('x', options.logX, LEFT, WIDTH - RIGHT);
  const y = axis('y', options.logY, HEIGHT - BOTTOM, TOP);
  const body = all.flatMap((series, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const at = series.points
      .filter((point) => point.y > 0 || options.logY !== true)
      .map((point) => [x.scale(point.x).toFixed(1), y.scale(point.y).toFixed(1)]);
    const legend = LEFT + i * ((WIDTH - LEFT - RIGHT) / all.length);
    return [
      `<polyline points="${at.map((pair) => pair.join(',')).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...at.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`),
      `<rect x="${legend}" y="${HEIGHT - 24}" width="12" height="12" fill="${colour}"/>`,
      text(legend + 18, HEIGHT - 13, series.name, 'start'),
    ];
  });
  return page(frame, [
    ...grid(y),
    ...x.ticks.map((tick) => text(x.scale(tick), HEIGHT - BOTTOM + 18, short(tick))),
    ...body,
  ]);
}
