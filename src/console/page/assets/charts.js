import { bytes, compact, duration, milliseconds, rate } from './format.js';
import { html, loadUPlot, useLayoutEffect, useRef, useState } from './libraries.js';

/** @typedef {import('../../contract.js').ConsoleHistory} ConsoleHistory */
/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {keyof import('../../contract.js').FlowHistory} Series */

const HISTORY_SECONDS = 900;

/** @type {readonly { name: Series, title: string, text: (value: number | null | undefined) => string }[]} */
const CHARTS = [
  { name: 'perSecond', title: 'Records received', text: rate },
  { name: 'ageSeconds', title: 'Age of the oldest record', text: duration },
  { name: 'backlog', title: 'Backlog', text: compact },
  { name: 'inFlight', title: 'In flight', text: compact },
  {
    name: 'bytesPerSecond',
    title: 'Bytes received',
    text: (value) => (typeof value === 'number' ? `${bytes(value)}/s` : '–'),
  },
];

/**
 * The last 15 minutes of a flow, as the server kept them, and the latencies of its parts.
 * @param {{ flow: FlowView, history?: ConsoleHistory | undefined }} props
 */
export function Charts({ flow, history }) {
  const series = history?.flows[flow.name];
  return html`
    <section aria-label="Charts">
      ${
        series === undefined || history === undefined || history.seconds.length === 0
          ? html`<p class="empty">No history yet: the first point comes within seconds.</p>`
          : html`<div class="charts">
              ${(history.latencies[flow.name] ?? []).map((latencies, nth, all) => html`<${SourceCharts} key=${nth} seconds=${history.seconds} latencies=${latencies} isOnly=${all.length === 1} />`)}
              ${CHARTS.map((chart) => html`<${Chart} key=${chart.name} ...${chart} seconds=${history.seconds} values=${series[chart.name] ?? []} />`)}
            </div>`
      }
      <${Latencies} parts=${flow.parts} />
    </section>`;
}

/** @param {{ seconds: readonly number[], latencies: import('../../contract.js').SourceLatencies, isOnly: boolean }} props */
function SourceCharts({ seconds, latencies, isOnly }) {
  const of = isOnly ? '' : ` of ${latencies.source}`;
  return html`
    <${Chart} title=${`Time until the ack${of}, p50`} text=${duration} seconds=${seconds} values=${latencies.settleP50} p99=${latencies.settleP99} />
    <${Chart} title=${`Age at the ack${of}, p50`} text=${duration} seconds=${seconds} values=${latencies.ageP50} p99=${latencies.ageP99} />`;
}

/**
 * With `p99`, a second line, dashed, and its last value in place of the peak.
 * @param {{ title: string, text: (value: number | null | undefined) => string, seconds: readonly number[], values: readonly (number | null)[], p99?: readonly (number | null)[] }} props
 */
function Chart({ title, text, seconds, values, p99 }) {
  const own = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {import('uplot') | null} */ (null));
  const [theme, setTheme] = useState(0);
  const data = /** @type {import('uplot').AlignedData} */ ([
    [...seconds],
    [...values],
    ...(p99 === undefined ? [] : [[...p99]]),
  ]);
  const latest = useRef(data);
  latest.current = data;

  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (own.current);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const recolour = () => setTheme((before) => before + 1);
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: 150 }));
    let isGone = false;
    loadUPlot().then((uPlot) => {
      if (isGone) return;
      plot.current = new uPlot(optionsOf(element, title, text, p99 !== undefined), latest.current, element);
      observer.observe(element);
    });
    dark.addEventListener('change', recolour);
    return () => {
      isGone = true;
      dark.removeEventListener('change', recolour);
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme]);
  useLayoutEffect(() => plot.current?.setData(data), [seconds.at(-1), seconds.length]);

  const known = values.filter((value) => value !== null);
  const now = values.at(-1);
  const peak = known.length === 0 ? undefined : Math.max(...known);
  const besides = p99 === undefined ? `peak ${text(peak)}` : `p99 ${text(p99.at(-1))}, dashed`;
  return html`
    <figure class="card chart">
      <figcaption><span>${title}</span><strong>${text(now)}</strong><span class="muted">${besides}</span></figcaption>
      <div class="plot" ref=${own} role="img" aria-label=${`${title} in the last 15 minutes: now ${text(now)}, ${besides}`} />
    </figure>`;
}

/** @param {HTMLElement} element @param {string} title @param {(value: number | null) => string} text @param {boolean} hasSecond @returns {import('uplot').Options} */
function optionsOf(element, title, text, hasSecond) {
  const style = getComputedStyle(element);
  const [line, fill, grid, ink] = ['--chart', '--chart-fill', '--line', '--muted'].map((name) =>
    style.getPropertyValue(name),
  );
  const axis = {
    stroke: ink ?? '',
    grid: { stroke: grid ?? '', width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  };
  const pad = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const at = (/** @type {number} */ seconds) => {
    const date = new Date(seconds * 1_000);
    return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  };
  return {
    width: element.clientWidth,
    height: 150,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, __, max) => [max - HISTORY_SECONDS, max] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 22, space: 64, values: (_, splits) => splits.map(at) },
      { ...axis, size: 74, space: 34, values: (_, splits) => splits.map(text) },
    ],
    series: [
      {},
      {
        label: title,
        stroke: line ?? '',
        fill: fill ?? '',
        width: 1.5,
        points: { show: (plot) => plot.data[0].length < 3, size: 5 },
        spanGaps: false,
      },
      ...(hasSecond ? [{ label: 'p99', stroke: line ?? '', width: 1, dash: [4, 3], points: { show: false } }] : []),
    ],
  };
}

/** @param {{ parts: FlowView['parts'] }} props */
function Latencies({ parts }) {
  const measured = parts.filter(({ latencyMs }) => latencyMs !== undefined);
  if (measured.length === 0) return html`<p class="empty">No latencies were measured in the last minute.</p>`;
  const longest = Math.max(...measured.map(({ latencyMs }) => latencyMs?.p99 ?? 0), 1);
  return html`
    <div class="card latencies">
      <h2>Latency in the last minute</h2>
      <p class="muted">A source: from passing a record on until its ack. A sink: a write.</p>
      <table class="plain">
        <thead><tr><th scope="col">Part</th><th scope="col" class="number">p50</th><th scope="col" class="number">p95</th><th scope="col" class="number">p99</th><th scope="col" class="bars">p50, p95, p99 side by side</th></tr></thead>
        <tbody>
          ${measured.map(
            ({ name, latencyMs }, index) => html`
              <tr key=${index}>
                <th scope="row">${name}</th>
                ${[latencyMs?.p50, latencyMs?.p95, latencyMs?.p99].map((value) => html`<td class="number">${milliseconds(value)}</td>`)}
                <td class="bars"><svg viewBox="0 0 1000 18" preserveAspectRatio="none" aria-hidden="true">
                  ${[latencyMs?.p99, latencyMs?.p95, latencyMs?.p50].map(
                    (value = 0, nth) =>
                      html`<rect class=${`share-${nth}`} width=${(value / longest) * 1_000} height="18" />`,
                  )}
                </svg></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
