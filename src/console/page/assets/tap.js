import { clockTime, count, plural } from './format.js';
import { html, useMemo, useState } from './libraries.js';
import { Filter } from './table.js';

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('../../contract.js').TapValue} TapValue */
/** @typedef {import('./state.js').Tap} Tap */
/**
 * @typedef {object} TapActions
 * @property {(edge: number, contains: string, everyN: number) => void} start
 * @property {() => void} stop
 * @property {(isPaused: boolean) => void} pause
 * @property {() => void} copyTest
 */

/**
 * The values that pass an edge. They are shown as text, never as anything else.
 * @param {{ flow: FlowView, tap?: Tap | undefined, edge: number, message?: string | undefined, actions: TapActions }} props
 */
export function TapPanel({ flow, tap, edge, message, actions }) {
  return html`
    <section aria-label="Tap">
      ${message && html`<p class="note" role="status">${message}</p>`}
      ${tap === undefined ? html`<${Start} key=${edge} flow=${flow} edge=${edge} start=${actions.start} />` : html`<${Running} flow=${flow} tap=${tap} actions=${actions} />`}
    </section>`;
}

/** @param {FlowView} flow @param {number} edge */
function nameOf(flow, edge) {
  const { from = 0, to = 0 } = flow.edges[edge] ?? {};
  return `${flow.parts[from]?.name} → ${flow.parts[to]?.name}`;
}

/** @param {{ flow: FlowView, edge: number, start: TapActions['start'] }} props */
function Start({ flow, edge: first, start }) {
  const [edge, setEdge] = useState(first);
  const [contains, setContains] = useState('');
  const [everyN, setEveryN] = useState(1);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    start(edge, contains, everyN);
  };
  if (flow.edges.length === 0) return html`<p class="empty">This flow has no edge to tap.</p>`;
  return html`
    <form class="card tap-form" onSubmit=${submit}>
      <label>Edge
        <select value=${edge} onChange=${(/** @type {any} */ event) => setEdge(Number(event.target.value))}>
          ${flow.edges.map((_, index) => html`<option key=${index} value=${index} selected=${index === edge}>${nameOf(flow, index)}</option>`)}
        </select>
      </label>
      <label>Only values with
        <input value=${contains} placeholder="any text" onInput=${(/** @type {any} */ event) => setContains(event.target.value)} />
      </label>
      <label>One of every
        <input type="number" min="1" value=${everyN} onInput=${(/** @type {any} */ event) => setEveryN(Math.max(1, Math.floor(Number(event.target.value)) || 1))} />
      </label>
      <button class="primary" type="submit">Start the tap</button>
      <p class="muted">The last 100 values are kept, each up to 64 KiB. The tap ends when you leave the page.</p>
    </form>`;
}

/** @param {{ flow: FlowView, tap: Tap, actions: TapActions }} props */
function Running({ flow, tap, actions }) {
  const [text, setText] = useState('');
  const shown = tap.values.filter((value) => value.text.includes(text) || value.stream.includes(text));
  const rows = useMemo(() => [...shown].reverse().map(valueRow), [tap.values, text]);
  return html`
    <div class="toolbar">
      <strong class="tap-name" title=${nameOf(flow, tap.edge)}>${nameOf(flow, tap.edge)}</strong>
      <span class="muted">${plural(tap.seen, 'value')}${tap.paused ? ', paused' : ''}</span>
      <${Filter} label="Filter" value=${text} set=${setText} shown=${shown.length} all=${tap.values.length} />
      <button type="button" aria-pressed=${tap.paused} onClick=${() => actions.pause(!tap.paused)}>${tap.paused ? 'Continue' : 'Pause'}</button>
      <button type="button" disabled=${tap.values.length === 0} onClick=${actions.copyTest}>Copy as a marble test</button>
      <button type="button" onClick=${actions.stop}>Stop</button>
    </div>
    ${shown.length === 0 && html`<p class="empty">${tap.values.length === 0 ? 'Waiting for the first value that passes.' : 'No value matches.'}</p>`}
    <div class=${`scroll tapped ${shown.length === 0 ? 'is-empty' : ''}`} role="region" aria-label="Tapped values, newest first" tabindex="0">
      <ol>${rows}</ol>
    </div>`;
}

/** @param {TapValue} value */
function valueRow({ atMs, stream, offset, text, cut, redacted }) {
  return html`
    <li key=${`${stream}@${offset}@${atMs}`}>
      <div class="muted"><time>${clockTime(atMs)}</time> ${stream}@${count(offset)}
        ${cut && html` <b class="badge warn">cut</b>`}${redacted && html` <b class="badge">redacted</b>`}</div>
      <pre>${text}</pre>
    </li>`;
}

/** The test of a tap, to be copied. @param {{ text: string }} props */
export function TestText({ text }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied.');
    } catch {
      // Without a secure address there is no clipboard.
      /** @type {HTMLTextAreaElement | null} */ (document.querySelector('#test-text'))?.select();
      setSaid('Selected: copy it with your keyboard.');
    }
  };
  return html`
    <p>Save it as a test file of your project, and replace the operators by your own.</p>
    <textarea id="test-text" readonly rows="18" aria-label="The test" spellcheck="false" value=${text} />
    <div class="actions"><span role="status">${said}</span><button class="primary" type="button" onClick=${copy}>Copy</button></div>`;
}
