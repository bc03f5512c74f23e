import { count } from './format.js';
import { html } from './libraries.js';
import { Table } from './table.js';

/** @typedef {{ cause: string, letters: number, share: number }} Row */

/** @type {import('./table-rows.js').Column<Row>[]} */
const COLUMNS = [
  { name: 'Cause', value: ({ cause }) => cause, text: ({ cause }) => html`<code>${cause}</code>` },
  { name: 'Dead letters', value: ({ letters }) => letters, text: ({ letters }) => count(letters), isNumber: true },
  { name: 'Share', value: ({ share }) => share, text: ({ share }) => `${(share * 100).toFixed(1)} %`, isNumber: true },
];

/** Dead letters since the process started, by their cause. @param {{ deadLetters: Readonly<Record<string, number>> }} props */
export function DeadLetters({ deadLetters }) {
  const all = Object.values(deadLetters).reduce((sum, one) => sum + one, 0);
  if (all === 0) return html`<p class="empty">No dead letters since the process started.</p>`;
  const rows = Object.entries(deadLetters).map(([cause, letters]) => ({ cause, letters, share: letters / all }));
  return html`
    <section aria-label="Dead letters">
      <p class="muted">Records that were set aside since the process started, by the code of the error.</p>
      <${Table} label="Dead letters by cause" rows=${rows} columns=${COLUMNS} keyOf=${(/** @type {Row} */ { cause }) => cause} order=${{ column: 1, isDown: true }} />
    </section>`;
}
