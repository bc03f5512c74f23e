import { count, duration } from './format.js';
import { html, useState } from './libraries.js';
import { Filter, Table } from './table.js';

/** @typedef {import('../../contract.js').StreamView} StreamView */

/** Less than this until retention deletes what is not stored yet. */
const SHORT_HEADROOM_SECONDS = 6 * 3_600;

/** @type {import('./table-rows.js').Column<StreamView>[]} */
const COLUMNS = [
  { name: 'Stream', value: ({ stream }) => stream },
  {
    name: 'Lag',
    value: ({ lag }) => lag,
    text: ({ lag }) => count(lag),
    isNumber: true,
    hint: 'Log end less committed',
  },
  {
    name: 'Backlog',
    value: ({ backlog }) => backlog,
    text: ({ backlog }) => count(backlog),
    isNumber: true,
    hint: 'Log end less read',
  },
  {
    name: 'Age',
    value: ({ ageSeconds }) => ageSeconds,
    text: ({ ageSeconds }) => duration(ageSeconds),
    isNumber: true,
    hint: 'Of the oldest record that is not settled',
  },
  {
    name: 'Headroom',
    value: ({ headroomSeconds }) => headroomSeconds,
    text: headroom,
    isNumber: true,
    hint: 'Until retention may delete that record',
  },
  { name: 'Committed', value: ({ committed }) => committed, text: ({ committed }) => count(committed), isNumber: true },
  { name: 'Log end', value: ({ logEnd }) => logEnd, text: ({ logEnd }) => count(logEnd), isNumber: true },
  {
    name: 'State',
    value: ({ paused }) => (paused ? 'paused' : 'reading'),
    text: ({ paused }) => (paused ? html`<b class="badge warn">paused</b>` : 'reading'),
  },
];

/** @param {StreamView} stream */
function headroom({ headroomSeconds }) {
  if (headroomSeconds === undefined || headroomSeconds >= SHORT_HEADROOM_SECONDS) return duration(headroomSeconds);
  return html`<b class="badge bad">${duration(headroomSeconds)}</b>`;
}

/** @param {{ streams: readonly StreamView[] }} props */
export function Partitions({ streams }) {
  const [text, setText] = useState('');
  const [onlyPaused, setOnlyPaused] = useState(false);
  const shown = streams.filter(({ stream, paused }) => stream.includes(text) && (paused || !onlyPaused));
  if (streams.length === 0) return html`<p class="empty">No streams are assigned to this flow yet.</p>`;
  return html`
    <section aria-label="Table of partitions">
      <div class="toolbar">
        <${Filter} label="Streams" value=${text} set=${setText} shown=${shown.length} all=${streams.length} />
        <label class="check"><input type="checkbox" checked=${onlyPaused} onChange=${(/** @type {any} */ event) => setOnlyPaused(event.target.checked)} /> Paused only</label>
      </div>
      <${Table} label="Partitions" rows=${shown} columns=${COLUMNS} keyOf=${(/** @type {StreamView} */ { stream }) => stream} order=${{ column: 1, isDown: true }} />
    </section>`;
}
