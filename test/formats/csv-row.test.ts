import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { csv } from '../../src/formats/csv.js';
import type { CsvRow } from '../../src/formats/csv-columns.js';
import { csvRecord } from '../../src/formats/csv-record.js';
import { csvRow } from '../../src/formats/csv-row.js';

const COLUMNS = [
  { name: 'text', type: 'string' },
  { name: 'note', type: 'string', nullable: true },
  { name: 'share', type: 'number' },
  { name: 'count', type: 'integer', nullable: true },
  { name: 'ok', type: 'boolean' },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: '__proto__', type: 'string' },
] as const;

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', '\r', '\n', ' ', '#', '\\', 'N'), maxLength: 6 }),
);
const row = fc
  .record({
    text,
    note: fc.option(text),
    share: fc.double().map((one) => one + 0),
    count: fc.option(
      fc.oneof(
        fc.maxSafeInteger().map((one) => one + 0),
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }),
      ),
    ),
    ok: fc.boolean(),
    at: fc.option(fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })),
    proto: text,
  })
  .map(({ proto, ...others }) => Object.fromEntries([...Object.entries(others), ['__proto__', proto]]));

describe('csvRow', () => {
  it('reads what csv writes of the same columns to the same values', () => {
    const separators = [',', ';', '\t', '|', '\u0001'] as const;
    fc.assert(
      fc.property(
        row,
        fc.constantFrom(...separators),
        fc.constantFrom('', '\\N', 'null'),
        fc.constantFrom('crlf' as const, 'lf' as const),
        (value, separator, nullText, lineEnd) => {
          const options = { columns: COLUMNS, separator, nullText, numbers: 'all' } as const;
          const encoder = csv({ ...options, lineEnd, header: 'none' }).encoder();
          encoder.add(value as never);
          const bytes = encoder.take();
          const read = csvRow(options)(bytes);
          expect(read).toStrictEqual(value);
          expect(
            csvRow(options)(
              Buffer.from(bytes)
                .toString()
                .replace(/\r?\n$/, ''),
            ),
          ).toStrictEqual(value);
          const again: CsvRow<typeof COLUMNS> = read;
          expect(again).toBe(read);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('splits a record as csv-parse does', () => {
    const record = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', '"', '""', ',', '\n', '\r\n', ' '), maxLength: 12 }),
      fc
        .array(
          fc.oneof(
            fc.constantFrom('', 'a', ' b '),
            text.map((one) => `"${one.replaceAll('"', '""')}"`),
          ),
          { minLength: 1 },
        )
        .map((fields) => fields.filter((one) => !/^[^"]*\r/.test(one)).join(',')),
    );
    let [both, neither] = [0, 0];
    fc.assert(
      fc.property(record, (line) => {
        fc.pre(line !== '' && !/^\r?\n/.test(line));
        const [theirs, ours] = [theirRecord(line), ourRecord(line)];
        expect([line, ours]).toEqual([line, theirs]);
        if (ours === undefined) neither += 1;
        else both += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(both, neither)).toBeGreaterThan(20);
  });

  const typed = (type: 'string' | 'number' | 'integer' | 'boolean' | 'timestamp', nullable = false) =>
    csvRow({ columns: [{ name: 'a b', type, nullable }] });

  it.each([
    ['number', '1e3', 1000],
    ['number', '"1.50"', 1.5],
    ['number', '-0', 0],
    ['integer', '007', 7],
    ['integer', '-0', 0],
    ['integer', '9007199254740993', 9007199254740993n],
    ['boolean', 'false', false],
    ['timestamp', '2026-11-27T08:30:00Z', new Date('2026-11-27T08:30:00Z')],
    ['timestamp', '2026-11-27T08:30:00.5Z', new Date('2026-11-27T08:30:00.500Z')],
    ['string', ' a ', ' a '],
    ['string', '\ufeffa', 'a'],
  ] as const)('reads a field of type %s: %s', (type, line, value) => {
    expect(Object.values(typed(type)(Buffer.from(line)))).toEqual([value]);
  });

  it('null is unquoted, and only where a column is nullable', () => {
    const columns = [{ name: 'a', type: 'string', nullable: true }, 'b'] as const;
    expect(csvRow({ columns })(',')).toEqual({ a: null, b: '' });
    expect(csvRow({ columns })('"",""')).toEqual({ a: '', b: '' });
    expect(csvRow({ columns, nullText: '\\N' })('\\N,\\N')).toEqual({ a: null, b: '\\N' });
    expect(csvRow({ columns, nullText: '\\N' })('"\\N",')).toEqual({ a: '\\N', b: '' });
  });

  it.each([
    ['number', '1,5', 'RXF_DECODE_SHAPE', 'has 2 fields, and `columns` has 1'],
    ['number', '', 'RXF_DECODE_EMPTY', 'Expected CSV, got no value'],
    [
      'number',
      '""',
      'RXF_DECODE_SHAPE',
      '`$["a b"]` of a record of CSV is not of its column\'s type: expected a number, got ""',
    ],
    ['number', 'NaN', 'RXF_DECODE_SHAPE', 'expected a number, got "NaN"'],
    ['number', '0x10', 'RXF_DECODE_SHAPE', 'expected a number'],
    ['number', ' 1', 'RXF_DECODE_SHAPE', 'expected a number'],
    [
      'number',
      '1e400',
      'RXF_DECODE_INEXACT',
      'The number "1e400" of `$["a b"]` does not fit a double: it would become Infinity',
    ],
    ['number', '9007199254740993', 'RXF_DECODE_INEXACT', 'it would become 9007199254740992'],
    ['integer', '1.0', 'RXF_DECODE_SHAPE', 'expected a whole number'],
    ['integer', '1'.repeat(1_001), 'RXF_DECODE_SHAPE', 'of at most 1,000 digits'],
    ['boolean', 'TRUE', 'RXF_DECODE_SHAPE', 'expected `true` or `false`'],
    ['timestamp', '2026-02-30T00:00:00Z', 'RXF_DECODE_SHAPE', 'expected a time such as'],
    ['timestamp', '2026-11-27 08:30:00', 'RXF_DECODE_SHAPE', 'expected a time such as'],
    ['string', 'a"b', 'RXF_DECODE_SYNTAX', 'a quote is within a field that does not begin with one, at character 1'],
    ['string', '"ab', 'RXF_DECODE_SYNTAX', 'a quote has no end, at character 0'],
    ['string', '"ab\n', 'RXF_DECODE_SYNTAX', 'a quote has no end'],
    ['string', '"a"b', 'RXF_DECODE_SYNTAX', 'text comes behind a closing quote, at character 3'],
    ['string', 'a\nb', 'RXF_DECODE_SYNTAX', 'it has more than one record, at character 1'],
    ['string', 'a\r', 'RXF_DECODE_SYNTAX', 'it has more than one record'],
    ['string', 'a\n\n', 'RXF_DECODE_SYNTAX', 'it has more than one record'],
  ] as const)('rejects as %s: %j', (type, line, code, message) => {
    expect(() => typed(type)(line)).toThrow(DecodeError);
    expect(() => typed(type)(line)).toThrow(expect.objectContaining({ code }));
    expect(() => typed(type)(line)).toThrow(message);
  });

  it('rejects what is not UTF-8, and a tombstone', () => {
    expect(() => typed('string')(Buffer.from([0xff]))).toThrow('Not utf-8');
    expect(() => typed('string')(null)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
  });

  it('checks its options at the call', () => {
    expect(() => csvRow({ columns: [] })).toThrow(OptionError);
    expect(() => csvRow({ columns: ['a'], separator: 'x' as never })).toThrow('Expected `separator`');
    expect(() => csvRow({ columns: ['a'], nullText: 1 as never })).toThrow('Expected `nullText` to be a string');
    expect(() => csvRow({ columns: ['a'], numbers: 'some' as never })).toThrow('Expected `numbers`');
  });
});

function theirRecord(line: string): readonly string[] | undefined {
  try {
    const records = parse(line, { relax_column_count: true, record_delimiter: ['\r\n', '\n'] }) as string[][];
    return records.length === 1 ? records[0] : undefined;
  } catch {
    return undefined;
  }
}

function ourRecord(line: string): readonly string[] | undefined {
  try {
    return csvRecord(line, ',').texts;
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return undefined;
  }
}
