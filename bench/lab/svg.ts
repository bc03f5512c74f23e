/** One measured place on a line, or one bar. */
export interface Point {
  readonly label: string;
  readonly value: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  /** What the numbers are, such as `records/s`. */
  readonly unit: string;
  readonly show: (value: number) => string;
}

const WIDTH = 720;
const LEFT = 190;
const RIGHT = 90;
const ROW = 26;
const TOP = 48;
const COLORS = ['#1f6feb', '#bc4c00', '#1a7f37', '#8250df', '#6e7781'];

/** Bars side by side, longest first value first: who is how fast. */
export function barChart(chart: Chart, points: readonly Point[], own: (label: string) => boolean): string {
  const most = Math.max(...points.map(({ value }) => value));
  const height = TOP + points.length * ROW + 14;
  const rows = points.map(({ label, value }, at) => {
    const y = TOP + at * ROW;
    const width = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT));
    const fill = own(label) ? COLORS[0] : '#8c959f';
    return (
      text(LEFT - 8, y + 15, label, 'end') +
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 6}" fill="${fill}"/>` +
      text(LEFT + width + 6, y + 15, chart.show(value), 'start')
    );
  });
  return page(height, chart, rows.join('\n'));
}

const PLOT_HEIGHT = 220;
const PLOT_LEFT = 70;

/** Lines over labelled places, evenly spaced, from 0 up: how something grows. */
export function lineChart(chart: Chart, series: readonly Series[]): string {
  const labels = series[0]?.points.map(({ label }) => label) ?? [];
  const most = niceTop(Math.max(...series.flatMap(({ points }) => points.map(({ value }) => value))));
  const x = (at: number) => PLOT_LEFT + 40 + (at * (WIDTH - PLOT_LEFT - 120)) / Math.max(1, labels.length - 1);
  const y = (value: number) => TOP + PLOT_HEIGHT - (value / most) * PLOT_HEIGHT;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most);
    return (
      `<line x1="${PLOT_LEFT}" x2="${WIDTH - 20}" y1="${at}" y2="${at}" stroke="#d0d7de"/>` +
      text(PLOT_LEFT - 8, at + 4, chart.show(part * most), 'end')
    );
  });
  const marks = labels.map((label, at) => text(x(at), TOP + PLOT_HEIGHT + 20, label, 'middle'));
  const lines = series.map(({ name, points }, index) => {
    const color = COLORS[index % COLORS.length] as string;
    const path = points.map(({ value }, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const dots = points.map(({ value }, at) => {
      const place = `cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}"`;
      return `<circle ${place} r="3.5" fill="${color}"/>${text(x(at), y(value) - 9, chart.show(value), 'middle')}`;
    });
    const key =
      series.length === 1 ? '' : text(PLOT_LEFT + index * 150, TOP + PLOT_HEIGHT + 44, `● ${name}`, 'start', color);
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}${key}`;
  });
  const height = TOP + PLOT_HEIGHT + (series.length === 1 ? 34 : 58);
  return page(height, chart, [...grid, ...marks, ...lines].join('\n'));
}

/** The next of 1, 2, 2.5, 5, 10 … above. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].find((step) => step * power >= value * 1.1) ?? 20) * power;
}

function page(height: number, { title, unit }: Chart, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="26" font-size="15" font-weight="bold" fill="#1f2328">${escaped(title)} <tspan font-weight="normal" fill="#59636e">${escaped(unit)}</tspan></text>
${body}
</svg>
`;
}

function text(x: number, y: number, value: string, anchor: 'start' | 'middle' | 'end', fill = '#1f2328'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${fill}">${escaped(value)}</text>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
