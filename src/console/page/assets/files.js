import { bytes, clockTime, count } from './format.js';
import { html, useState } from './libraries.js';
import { Filter, Table } from './table.js';

/** @typedef {import('../../../flow/committed-file.js').CommittedFile} CommittedFile */

/** @type {import('./table-rows.js').Column<CommittedFile>[]} */
const COLUMNS = [
  { name: 'Committed', value: ({ atMs }) => atMs, text: ({ atMs }) => clockTime(atMs) },
  {
    name: 'File',
    value: ({ path }) => path,
    text: ({ path }) => html`<span class="path" title=${path}>${path}</span>`,
  },
  { name: 'Stream', value: ({ stream }) => stream },
  {
    name: 'Offsets',
    value: ({ firstOffset }) => firstOffset,
    text: (file) => `${count(file.firstOffset)} – ${count(file.lastOffset)}`,
    isNumber: true,
  },
  { name: 'Values', value: ({ values }) => values, text: ({ values }) => count(values), isNumber: true },
  { name: 'Size', value: (file) => file.bytes, text: (file) => bytes(file.bytes), isNumber: true },
];

/** The last files that were committed. @param {{ files: readonly CommittedFile[] }} props */
export function Files({ files }) {
  const [text, setText] = useState('');
  const shown = files.filter(({ path, stream }) => path.includes(text) || stream.includes(text));
  if (files.length === 0) {
    return html`<p class="empty">No file has been committed since the process started. Files are committed when they roll: after a time or a size.</p>`;
  }
  return html`
    <section aria-label="Table of files">
      <div class="toolbar">
        <${Filter} label="Files or streams" value=${text} set=${setText} shown=${shown.length} all=${files.length} />
        <span class="muted">The last ${files.length}, 100 at most</span>
      </div>
      <${Table} label="Files" rows=${shown} columns=${COLUMNS} keyOf=${(/** @type {CommittedFile} */ { path, firstOffset }) => `${path} ${firstOffset}`} order=${{ column: 0, isDown: true }} />
    </section>`;
}
