import { DecodeError, describeValue } from '../core/errors.js';
import { expectOneOf, expectOption, withDefaults } from '../core/options.js';
import { type CheckedColumn, type CsvColumns, type CsvDecodedRow, checkColumns } from './csv-columns.js';
import { csvRecord } from './csv-record.js';
import type { Decoder } from './decoder.js';
import { doubleHolds } from './exact-numbers.js';
import { pathOf } from './json-path.js';
import { textDecoder } from './text-decoder.js';

export interface CsvRowOptions<C extends CsvColumns = CsvColumns> {
  /** The fields of the record, in this order, with their types: the same as of `csv`. */
  readonly columns: C;
  /** What is between two fields. Default `,`. */
  readonly separator?: ',' | ';' | '\t' | '|' | '\u0001';
  /** What stands for null in a nullable column, unquoted. Default the empty text. */
  readonly nullText?: string;
  /** `finite`: numbers only. `all`: `NaN`, `Infinity` and `-Infinity` too. Default `finite`. */
  readonly numbers?: 'finite' | 'all';
}

/** The defaults of `csvRow`. */
export const CSV_ROW_DEFAULTS = {
  separator: ',',
  nullText: '',
  numbers: 'finite',
} as const satisfies Omit<CsvRowOptions, 'columns'>;

/**
 * A decoder of values that are one record of CSV each, without a header, in UTF-8 bytes or text. What `csv` writes of the same columns,
 * it reads to the same values; those of the type `scalar` to texts.
 *
 * ```ts
 * import { csvRow } from 'rxflume/formats';
 *
 * const decoder = csvRow({
 *   columns: [
 *     { name: 'id', type: 'integer' },
 *     { name: 'text', type: 'string', nullable: true },
 *   ],
 * });
 * decoder('1,"say ""hi"""'); // → { id: 1, text: 'say "hi"' }
 * decoder(Buffer.from('2,\r\n')); // → { id: 2, text: null }
 * ```
 *
 * Fails: `RXF_DECODE_EMPTY` for null or nothing, `RXF_DECODE_SYNTAX` for what is not one record in UTF-8, `RXF_DECODE_SHAPE` for
 * another number of fields, or a field that is not of its column's type, `RXF_DECODE_INEXACT` for a number that no double holds.
 * Source: RFC 4180.
 */
export function csvRow<const C extends CsvColumns>(
  options: CsvRowOptions<C>,
): Decoder<Uint8Array | string | null, CsvDecodedRow<C>> {
  const {
    columns: given,
    separator,
    nullText,
    numbers,
  } = withDefaults('csvRow options', CSV_ROW_DEFAULTS, options, ['columns']);
  const columns = checkColumns(given);
  expectOneOf('separator', separator, [',', ';', '\t', '|', '\u0001']);
  expectOption('nullText', nullText, typeof nullText === 'string', 'a string');
  expectOneOf('numbers', numbers, ['finite', 'all']);
  const textOf = textDecoder();
  // Its own properties, so that an assignment to `__proto__` does not set the prototype.
  const template: Readonly<Record<string, unknown>> = Object.fromEntries(columns.map(({ name }) => [name, null]));
  return (bytes) => {
    if (bytes === null || bytes === undefined || bytes.length === 0) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected CSV, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    const { texts, quoted } = csvRecord(typeof bytes === 'string' ? bytes : textOf(bytes), separator);
    if (texts.length !== columns.length) throw wrongCount(texts.length, columns.length);
    const row = { ...template };
    for (let at = 0; at < columns.length; at += 1) {
      const [column, text] = [columns[at] as CheckedColumn, texts[at] as string];
      if (column.nullable && text === nullText && quoted[at] === false) continue;
      row[column.name] = fieldValue(text, column, numbers === 'all');
    }
    return row as CsvDecodedRow<C>;
  };
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const NON_FINITE = new Set(['NaN', 'Infinity', '-Infinity']);
/** The time to read an integer grows faster than it; JSON's have as many. */
const MAX_DIGITS = 1_000;

function fieldValue(text: string, column: CheckedColumn, takesNonFinite: boolean): unknown {
  switch (column.type) {
    case 'number':
      if (takesNonFinite && NON_FINITE.has(text)) return Number(text);
      if (!NUMBER.test(text) || text.length > MAX_DIGITS) break;
      if (!doubleHolds(text)) throw inexact(text, column);
      return Number(text) + 0;
    case 'integer': {
      if (!INTEGER.test(text) || text.length > MAX_DIGITS) break;
      const value = Number(text);
      return Number.isSafeInteger(value) ? value + 0 : BigInt(text);
    }
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      break;
    case 'timestamp': {
      const date = new Date(TIMESTAMP.test(text) ? text : Number.NaN);
      // A day such as February 30 would become one of March.
      if (!Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 19))) return date;
      break;
    }
    default:
      return text;
  }
  throw misfit(text, column);
}

const EXPECTED: Readonly<Partial<Record<CheckedColumn['type'], string>>> = {
  number: 'a number',
  integer: 'a whole number of at most 1,000 digits',
  boolean: '`true` or `false`',
  timestamp: 'a time such as `2026-11-27T08:30:00.000Z`',
};

function misfit(text: string, column: CheckedColumn): DecodeError {
  const path = pathOf([column.name]);
  return new DecodeError(
    'RXF_DECODE_SHAPE',
    `\`${path}\` of a record of CSV is not of its column's type: expected ${EXPECTED[column.type]}, got ${describeValue(text)}. ` +
      'Correct the producer, or read the column as a string.',
    { details: { path } },
  );
}

function inexact(text: string, column: CheckedColumn): DecodeError {
  const path = pathOf([column.name]);
  return new DecodeError(
    'RXF_DECODE_INEXACT',
    `The number ${describeValue(text)} of \`${path}\` does not fit a double: it would become ${Number(text)}. Read the column as a ` +
      'string, or as an integer where it is whole.',
    { details: { path } },
  );
}

function wrongCount(count: number, expected: number): DecodeError {
  return new DecodeError(
    'RXF_DECODE_SHAPE',
    `A record of CSV has ${count} fields, and \`columns\` has ${expected}. Correct \`columns\`, or \`separator\`.`,
    { details: { count, expected } },
  );
}
