import { clockTime } from './format.js';
import { html, useMemo, useState } from './libraries.js';
import { Filter } from './table.js';

/** @typedef {import('../../contract.js').LogLine} LogLine */

const RANKS = { info: 0, warn: 1, error: 2 };

/**
 * @param {{ lines: readonly LogLine[], held?: readonly LogLine[] | undefined, hold: (isHeld: boolean) => void }} props
 */
export function Log({ lines, held, hold }) {
  const [text, setText] = useState('');
  const [level, setLevel] = useState(/** @type {keyof typeof RANKS} */ ('info'));
  const source = held ?? lines;
  const needle = text.toLowerCase();
  const shown = source.filter(
    (line) => RANKS[line.level] >= RANKS[level] && `${line.what} ${line.message}`.toLowerCase().includes(needle),
  );
  // The same rows as before are not compared again.
  const rows = useMemo(() => [...shown].reverse().map(row), [source, text, level]);
  const behind = held === undefined ? 0 : lines.filter(({ seq }) => seq > (held.at(-1)?.seq ?? 0)).length;
  return html`
    <section aria-labelledby="log-title">
      <h1 id="log-title">Log</h1>
      <div class="toolbar">
        <${Filter} label="Filter" value=${text} set=${setText} shown=${shown.length} all=${source.length} />
        <label class="filter"><span>Level</span>
          <select value=${level} onChange=${(/** @type {any} */ event) => setLevel(event.target.value)}>
            <option value="info">all</option><option value="warn">warnings and errors</option><option value="error">errors</option>
          </select>
        </label>
        <button type="button" aria-pressed=${held !== undefined} onClick=${() => hold(held === undefined)}>${held === undefined ? 'Pause' : 'Continue'}</button>
        ${held !== undefined && html`<span class="muted">paused, ${behind} new</span>`}
      </div>
      ${shown.length === 0 && html`<p class="empty">${source.length === 0 ? 'Nothing has been logged yet.' : 'No line matches.'}</p>`}
      <div class=${`scroll log ${shown.length === 0 ? 'is-empty' : ''}`} role="region" aria-label="Log lines, newest first" tabindex="0">
        <ol>${rows}</ol>
      </div>
    </section>`;
}

/** @param {LogLine} line */
function row({ seq, atMs, level, what, message }) {
  return html`
    <li key=${seq} class=${level}>
      <time>${clockTime(atMs)}</time><b class="level">${level}</b><span class="what">${what}</span><span class="message">${message}</span>
    </li>`;
}
