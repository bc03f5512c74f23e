import { html, useLayoutEffect, useRef, useState } from './libraries.js';
import { rowsInSight, sortedRows } from './table-rows.js';

/**
 * @template Row
 * @typedef {import('./table-rows.js').Column<Row>} Column
 */
/** @typedef {import('./table-rows.js').Order} Order */

/** How far a scrolled element is, and how much of it is seen. */
export function useScrolled() {
  const own = useRef(/** @type {HTMLElement | null} */ (null));
  const [place, setPlace] = useState({ scrollTop: 0, height: 600 });
  const look = () => {
    const { scrollTop = 0, clientHeight: height = 600 } = own.current ?? {};
    setPlace((before) => (before.scrollTop === scrollTop && before.height === height ? before : { scrollTop, height }));
  };
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    if (own.current) observer.observe(own.current);
    return () => observer.disconnect();
  }, []);
  return { own, look, ...place };
}

/**
 * A table that is sorted by its headings, of which only the rows in sight are in the document.
 * @template Row
 * @param {object} props
 * @param {string} props.label
 * @param {readonly Row[]} props.rows
 * @param {readonly Column<Row>[]} props.columns
 * @param {(row: Row) => string} props.keyOf
 * @param {Order} props.order At first.
 */
export function Table({ label, rows, columns, keyOf, order: first }) {
  const [order, setOrder] = useState(first);
  const { own, look, scrollTop, height } = useScrolled();
  const sorted = sortedRows(rows, columns, order);
  const { from, to, above, below } = rowsInSight(sorted.length, scrollTop, height);
  const heading = (/** @type {Column<Row>} */ { name, isNumber, hint }, /** @type {number} */ column) => {
    const isSorted = order.column === column;
    const turn = () => setOrder({ column, isDown: isSorted ? !order.isDown : isNumber === true });
    return html`
      <th key=${name} scope="col" class=${isNumber ? 'number' : ''}
        aria-sort=${isSorted ? (order.isDown ? 'descending' : 'ascending') : 'none'}>
        <button type="button" title=${hint} onClick=${turn}>
          ${name}<span class="arrow" aria-hidden="true">${isSorted ? (order.isDown ? '▼' : '▲') : ''}</span>
        </button>
      </th>`;
  };
  return html`
    <div class="scroll" ref=${own} onScroll=${look} role="region" aria-label=${label} tabindex="0">
      <table aria-rowcount=${sorted.length + 1}>
        <thead><tr aria-rowindex="1">${columns.map(heading)}</tr></thead>
        <tbody>
          ${above > 0 && html`<tr key="above" class="gap" aria-hidden="true"><td style=${{ height: above }} /></tr>`}
          ${sorted.slice(from, to).map(
            (row, index) => html`
              <tr key=${keyOf(row)} aria-rowindex=${from + index + 2}>
                ${columns.map(
                  ({ name, value, text, isNumber }) =>
                    html`<td key=${name} class=${isNumber ? 'number' : ''}>${(text ?? value)(row)}</td>`,
                )}
              </tr>`,
          )}
          ${below > 0 && html`<tr key="below" class="gap" aria-hidden="true"><td style=${{ height: below }} /></tr>`}
        </tbody>
      </table>
    </div>`;
}

/**
 * The field by which a view is filtered; `/` goes to it.
 * @param {{ label: string, value: string, set: (text: string) => void, shown: number, all: number }} props
 */
export function Filter({ label, value, set, shown, all }) {
  return html`
    <label class="filter">
      <span>${label}</span>
      <input type="search" data-filter value=${value} onInput=${(/** @type {any} */ event) => set(event.target.value)} />
      ${value !== '' && html`<span class="muted" role="status">${shown} of ${all}</span>`}
    </label>`;
}
