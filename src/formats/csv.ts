import { describeValue, SinkError } from '../core/errors.js';
import { expectOneOf, expectOption, withDefaults } from '../core/options.js';
import { isWellFormed } from '../core/text.js';
import { type CompressionOptions, compressionOf } from './compression.js';
import { type CheckedColumn, type CsvColumns, type CsvRow, cellText, checkColumns, misfit } from './csv-columns.js';
import type { Encoder, Format } from './format.js';

export interface CsvOptions<C extends CsvColumns = CsvColumns> extends CompressionOptions {
  /** What is written of each value, in this order: names of fields, or fields with a type. */
  readonly columns: C;
  /** What is between two columns; a tab makes it TSV, and the files' ending `tsv`. Default `,`. */
  readonly separator?: ',' | ';' | '\t' | '|' | '\u0001';
  /** `names`: the first line of each file has the names of the columns. Default `names`. */
  readonly header?: 'names' | 'none';
  /** What ends a line. Default `crlf`, as RFC 4180 has it. */
  readonly lineEnd?: 'crlf' | 'lf';
  /** What is written for null, unquoted; a text that is the same is quoted. Default the empty text. */
  readonly nullText?: string;
  /** `finite`: NaN and the infinities are nacked. `all`: they are `NaN`, `Infinity` and `-Infinity`. Default `finite`. */
  readonly numbers?: 'finite' | 'all';
  /**
   * `escape`: a text that a spreadsheet would take for a formula gets a `'` before it, which other readers see as a part of
   * it. Default `keep`.
   */
  readonly formulas?: 'keep' | 'escape';
}

/** The defaults of `csv`. */
export const CSV_DEFAULTS = {
  separator: ',',
  header: 'names',
  lineEnd: 'crlf',
  nullText: '',
  numbers: 'finite',
  formulas: 'keep',
  compression: 'none',
} as const satisfies Omit<CsvOptions, 'columns'>;

/**
 * One value a line, its fields in columns, in UTF-8. Quoted is a text with a separator, a quote or a line end in it, a lone
 * carriage return included; one that begins or ends with a space, or begins with `#`; one that is written as null is; and so
 * the empty text is `""` where null is nothing. Readers that know the difference read it back.
 *
 * ```ts
 * import { csv } from 'rxflume/formats';
 *
 * const encoder = csv({ columns: ['id', { name: 'text', type: 'string', nullable: true }] }).encoder();
 * encoder.add({ id: 1, text: 'say "hi"' });
 * encoder.add({ id: 2n, text: null });
 * String(encoder.take()); // → 'id,text\r\n1,"say ""hi"""\r\n2,\r\n'
 * ```
 *
 * Fails: `RXF_SINK_FORMAT`, with the path, for a value that does not fit its column: an object, a symbol, NaN, null where the
 * column is not nullable. Nothing is written then.
 * Source: RFC 4180; OWASP, "CSV Injection".
 */
export function csv<const C extends CsvColumns>(options: CsvOptions<C>): Format<CsvRow<C>> {
  const checked = withDefaults('csv options', CSV_DEFAULTS, options, ['columns', 'compressionLevel']);
  const { columns: given, separator, header, lineEnd, nullText, numbers, formulas } = checked;
  const columns = checkColumns(given);
  expectOneOf('separator', separator, [',', ';', '\t', '|', '\u0001']);
  expectOneOf('header', header, ['names', 'none']);
  expectOneOf('lineEnd', lineEnd, ['crlf', 'lf']);
  expectOneOf('numbers', numbers, ['finite', 'all']);
  expectOneOf('formulas', formulas, ['keep', 'escape']);
  const special = new RegExp(`["\\r\\n${separator === '|' ? '\\|' : separator}]|^[\\s#]|\\s$`);
  const isNullText = typeof nullText === 'string' && isWellFormed(nullText) && !special.test(nullText);
  expectOption('nullText', nullText, isNullText, 'a text that needs no quotes');
  // Readers pass over an empty line, and the row would be lost.
  const isBlank = columns.length === 1 && columns[0]?.nullable === true && nullText === '';
  expectOption('nullText', nullText, !isBlank, 'a text, since a null alone on its line would be an empty line');
  const compression = compressionOf(checked.compression, options.compressionLevel);
  const extension = [separator === '\t' ? 'tsv' : 'csv', compression.extension].filter(Boolean).join('.');
  const rows: Rows = {
    columns,
    separator,
    special,
    nullText,
    takesNonFinite: numbers === 'all',
    escapesFormulas: formulas === 'escape',
    lineEnd: lineEnd === 'crlf' ? '\r\n' : '\n',
  };
  const names = columns.map(({ name }) => quoted(name, true, rows)).join(separator);
  const first = header === 'names' ? names + rows.lineEnd : '';
  return { extension, compression, encoder: () => new CsvEncoder(rows, first) };
}

interface Rows {
  readonly columns: readonly CheckedColumn[];
  readonly separator: string;
  /** Finds what must be quoted. */
  readonly special: RegExp;
  readonly nullText: string;
  readonly takesNonFinite: boolean;
  readonly escapesFormulas: boolean;
  readonly lineEnd: string;
}

class CsvEncoder<T> implements Encoder<T> {
  readonly #rows: Rows;
  /** What comes before the next row: the header, until it is written. */
  #header: string;
  #text = '';

  constructor(rows: Rows, header: string) {
    this.#rows = rows;
    this.#header = header;
  }

  add(value: T): number {
    const row = rowText(value, this.#rows);
    this.#text += this.#header + row;
    this.#header = '';
    return this.#text.length;
  }

  take(): Uint8Array {
    const chunk = Buffer.from(this.#text);
    this.#text = '';
    return chunk;
  }
}

function rowText(value: unknown, rows: Rows): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw noRow(value);
  let text = '';
  for (let at = 0; at < rows.columns.length; at += 1) {
    const column = rows.columns[at] as CheckedColumn;
    if (at > 0) text += rows.separator;
    const cell = (value as Record<string, unknown>)[column.name];
    if (cell !== null && cell !== undefined) {
      text += quoted(cellText(cell, column, rows.takesNonFinite), typeof cell === 'string', rows);
    } else if (column.nullable) text += rows.nullText;
    else throw misfit(cell, column);
  }
  return text + rows.lineEnd;
}

/** What a spreadsheet takes for the beginning of a formula; it reads the full-width forms too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function quoted(text: string, isText: boolean, { special, nullText, escapesFormulas }: Rows): string {
  if (isText && escapesFormulas && FORMULA.test(text)) return `"'${text.replaceAll('"', '""')}"`;
  if (text !== nullText && !special.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}

function noRow(value: unknown): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write ${describeValue(value)} (${value === null ? 'null' : typeof value}) as a row of CSV: expected an object with ` +
      'a field for each column. Before the sink, make one with mapValue.',
    { details: { path: '$' } },
  );
}
