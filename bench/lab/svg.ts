/** One measured place on a line, or one bar. */
export interface Point {
  readonly label: string;
  readonly value: number;
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
const OWN = '#1f6feb';
const OTHER = '#8c959f';

/** Bars side by side, longest first value first: who is how fast. */
export function barChart(chart: Chart, points: readonly Point[], own: (label: string) => boolean): string {
  const most = Math.max(...points.map(({ value }) => value));
  const height = TOP + points.length * ROW + 14;
  const rows = points.map(({ label, value }, at) => {
    const y = TOP + at * ROW;
    const width = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT));
    const fill = own(label) ? OWN : OTHER;
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

/** A line over labelled places, evenly spaced, from 0 up: how something grows. */
export function lineChart(chart: Chart, points: readonly Point[]): string {
  const most = niceTop(Math.max(...points.map(({ value }) => value)));
  const x = (at: number) => PLOT_LEFT + 40 + (at * (WIDTH - PLOT_LEFT - 120)) / Math.max(1, points.length - 1);
  const y = (value: number) => TOP + PLOT_HEIGHT - (value / most) * PLOT_HEIGHT;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most);
    return (
      `<line x1="${PLOT_LEFT}" x2="${WIDTH - 20}" y1="${at}" y2="${at}" stroke="#d0d7de"/>` +
      text(PLOT_LEFT - 8, at + 4, chart.show(part * most), 'end')
    );
  });
  const path = points.map(({ value }, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const marks = points.map(({ label, value }, at) => {
    const dot = `<circle cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="${OWN}"/>`;
    return dot + text(x(at), y(value) - 9, chart.show(value)) + text(x(at), TOP + PLOT_HEIGHT + 20, label);
  });
  const line = `<polyline points="${path}" fill="none" stroke="${OWN}" stroke-width="2"/>`;
  return page(TOP + PLOT_HEIGHT + 34, chart, [...grid, line, ...marks].join('\n'));
}

/** The next of 1, 2, 2.5, 5, 10 … above. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].find((step) => step * power >= value * 1.1) ?? 20) * power;
}

function page(height: number, { title, unit }: Chart, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<title>${escaped(`${title}: ${unit}`)}</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="26" font-size="15" font-weight="bold" fill="#1f2328">${escaped(title)} <tspan font-weight="normal" fill="#59636e">${escaped(unit)}</tspan></text>
${body}
</svg>
`;
}

function text(x: number, y: number, value: string, anchor: 'start' | 'middle' | 'end' = 'middle'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#1f2328">${escaped(value)}</text>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
