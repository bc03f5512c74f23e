// Which rows of a table are shown, and in which order.

/**
 * A column: `value` is what is sorted by; `text` what is shown.
 * @template Row
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: Row) => string | number | undefined} value
 * @property {(row: Row) => unknown} [text]
 * @property {boolean} [isNumber]
 * @property {string} [hint]
 */
/** @typedef {{ column: number, isDown: boolean }} Order */

const ROW_HEIGHT = 37;
const SPARE_ROWS = 6;

/**
 * What is unknown comes last, whichever way rows are sorted.
 * @template Row
 * @param {readonly Row[]} rows
 * @param {readonly Column<Row>[]} columns
 * @param {Order} order
 */
export function sortedRows(rows, columns, { column, isDown }) {
  const { value } = /** @type {Column<Row>} */ (columns[column]);
  return [...rows].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === undefined || second === undefined) return Number(first === undefined) - Number(second === undefined);
    const up =
      typeof first === 'number' && typeof second === 'number'
        ? first - second
        : String(first).localeCompare(String(second), 'en', { numeric: true });
    return isDown ? -up : up;
  });
}

/**
 * The rows that are in sight, and the height of those above and below.
 * @param {number} count
 * @param {number} scrollTop
 * @param {number} height
 */
export function rowsInSight(count, scrollTop, height, rowHeight = ROW_HEIGHT) {
  const from = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - SPARE_ROWS));
  const to = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + SPARE_ROWS);
  return { from, to, above: from * rowHeight, below: (count - to) * rowHeight };
}
