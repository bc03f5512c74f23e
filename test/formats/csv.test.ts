import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OptionError, SinkError } from '../../src/core/errors.js';
import { type CsvOptions, csv } from '../../src/formats/csv.js';
import type { CsvColumns } from '../../src/formats/csv-columns.js';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** The text of a file of these rows. */
function fileOf(options: CsvOptions, rows: Rows): string {
  const encoder = csv(options).encoder();
  for (const row of rows) encoder.add(row as never);
  return String(encoder.take());
}

/** The lines of rows with one value each, without a header. */
function line(value: unknown, options: Partial<CsvOptions> = {}): string {
  const columns: CsvColumns = [{ name: 'a', nullable: true }, 'b'];
  return fileOf({ columns, header: 'none', ...options }, [{ a: value, b: 1 }]);
}

/** A reader by the grammar of RFC 4180, which tells null (unquoted, `nullText`) from text. Throws for what is not in it. */
function read(text: string, separator: string, lineEnd: string, nullText: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: (string | null)[] = [];
    for (;;) {
      if (text[at] === '"') {
        const from = at + 1;
        for (at = from; text[at] !== '"' || text[at + 1] === '"'; at += text[at] === '"' ? 2 : 1) {
          if (at >= text.length) throw new Error('a quote is not closed');
        }
        row.push(text.slice(from, at).replaceAll('""', '"'));
        at += 1;
      } else {
        const cell = /^[^"\r\n]*/.exec(text.slice(at))?.[0].split(separator)[0] as string;
        row.push(cell === nullText ? null : cell);
        at += cell.length;
      }
      if (text.startsWith(separator, at)) at += separator.length;
      else break;
    }
    if (!text.startsWith(lineEnd, at)) throw new Error(`a line does not end at ${at}`);
    at += lineEnd.length;
    rows.push(row);
  }
  return rows;
}

describe('csv', () => {
  it('writes a header once for each file, then a row for each value', () => {
    const format = csv({ columns: ['id', 'text'] });
    const encoder = format.encoder();
    expect(encoder.take().length).toBe(0);
    expect(() => encoder.add({ id: 0, text: null as never })).toThrow(SinkError);
    expect(encoder.add({ id: 1, text: 'one' })).toBe('id,text\r\n1,one\r\n'.length);
    expect(String(encoder.take())).toBe('id,text\r\n1,one\r\n');
    encoder.add({ id: 2, text: '中文 😀' });
    expect(String(encoder.take())).toBe('2,中文 😀\r\n');
    const other = format.encoder();
    other.add({ id: 3, text: '' });
    expect(String(other.take())).toBe('id,text\r\n3,""\r\n');
  });

  it('writes each type in one form', () => {
    const at = new Date('2026-11-27T08:30:00.123Z');
    const columns = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
    const row = { a: 'x', b: -0, c: 10n ** 30n, d: false, e: at, f: 1e21 };
    expect(fileOf({ columns, lineEnd: 'lf' }, [row])).toBe(
      'a,b,c,d,e,f\nx,0,1000000000000000000000000000000,false,2026-11-27T08:30:00.123Z,1e+21\n',
    );
    expect(fileOf({ columns: ['a'], header: 'none', numbers: 'all' }, [{ a: Number.NaN }, { a: -1 / 0 }])).toBe(
      'NaN\r\n-Infinity\r\n',
    );
  });

  it('quotes what readers would take for something else', () => {
    expect(line('a,b')).toBe('"a,b",1\r\n');
    expect(line('say "hi"')).toBe('"say ""hi""",1\r\n');
    expect(['a\rb', 'a\nb', 'a\r\n'].map((text) => line(text))).toEqual([
      '"a\rb",1\r\n',
      '"a\nb",1\r\n',
      '"a\r\n",1\r\n',
    ]);
    expect([' a', 'a ', '\ufeffa', '#a'].map((text) => line(text))).toEqual(
      [' a', 'a ', '\ufeffa', '#a'].map((text) => `"${text}",1\r\n`),
    );
    expect(line('a;b')).toBe('a;b,1\r\n');
    expect(line('a|b', { separator: '|' })).toBe('"a|b"|1\r\n');
    expect(line('a\tb', { separator: '\t' })).toBe('"a\tb"\t1\r\n');
    expect(line('a,b', { separator: ';' })).toBe('a,b;1\r\n');
    expect(fileOf({ columns: ['a,b', '=c'] }, [{ 'a,b': 1, '=c': 2 }])).toBe('"a,b",=c\r\n1,2\r\n');
  });

  it('tells null from the empty text, and from a text that is written as null', () => {
    expect([line(null), line(undefined), line('')]).toEqual([',1\r\n', ',1\r\n', '"",1\r\n']);
    const nullText = '\\N';
    expect([line(null, { nullText }), line('', { nullText }), line('\\N', { nullText })]).toEqual([
      '\\N,1\r\n',
      ',1\r\n',
      '"\\N",1\r\n',
    ]);
    expect(line(7, { nullText: '7' })).toBe('"7",1\r\n');
  });

  it('marks formulas where an option says so, and only texts', () => {
    const formulas = ['=1+1', '+1', '-1', '@a', '\ta', '\ra', '\na', '＝1', '－1'];
    for (const text of formulas) expect(line(text, { formulas: 'escape' })).toBe(`"'${text}",1\r\n`);
    expect(line('="a"', { formulas: 'escape' })).toBe('"\'=""a""",1\r\n');
    expect([line(-1, { formulas: 'escape' }), line('a=1', { formulas: 'escape' })]).toEqual(['-1,1\r\n', 'a=1,1\r\n']);
    expect(line('=1+1')).toBe('=1+1,1\r\n');
  });

  it.each<[string, unknown, CsvColumns[number], string]>([
    ['an object', { x: 1 }, 'a', 'expected a string, a finite number, a BigInt, a boolean or a Date, got'],
    ['a list', [1], 'a', '(object)'],
    ['a symbol', Symbol('s'), 'a', '(symbol)'],
    ['a function', () => 1, 'a', '(function)'],
    ['bytes', new Uint8Array(1), 'a', '(object)'],
    ['NaN', Number.NaN, 'a', 'NaN (number)'],
    ['an infinity', -1 / 0, { name: 'a', type: 'number' }, 'expected a finite number'],
    ['an invalid date', new Date(Number.NaN), 'a', 'which is not of the years 0 to 9999'],
    ['a year of five digits', new Date(Date.UTC(10_000, 0)), 'a', 'which is not of the years 0 to 9999'],
    ['half a surrogate pair', 'x\ud800', 'a', 'unpaired surrogate'],
    ['null', null, 'a', 'mark the column `nullable: true`'],
    ['an absent field', undefined, { name: 'a', type: 'string' }, 'expected a string, got undefined (undefined)'],
    ['a number for a text', 1, { name: 'a', type: 'string' }, 'expected a string, got 1 (number)'],
    ['a text for a number', '1', { name: 'a', type: 'number' }, 'expected a finite number'],
    ['a fraction for an integer', 1.5, { name: 'a', type: 'integer' }, 'up to ±(2^53 − 1)'],
    ['an unsafe integer', 2 ** 53, { name: 'a', type: 'integer' }, 'expected a BigInt'],
    ['a BigInt for a double', 1n, { name: 'a', type: 'number' }, 'got 1 (bigint)'],
    ['a number for a boolean', 1, { name: 'a', type: 'boolean' }, 'expected true or false'],
    ['a text for a time', '2026', { name: 'a', type: 'timestamp' }, 'expected a Date'],
  ])('rejects %s with its path, and adds nothing', (_, value, column, message) => {
    const encoder = csv({ columns: ['b', column] }).encoder();
    const call = () => encoder.add({ a: value, b: 'x' } as never);
    expect(call).toThrow(SinkError);
    expect(call).toThrow(
      expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false, details: { path: '$.a' } }),
    );
    expect(call).toThrow('Cannot write `$.a` as a column of CSV: ');
    expect(call).toThrow(message);
    expect(encoder.take().length).toBe(0);
  });

  it('rejects what is no object with fields', () => {
    const encoder = csv({ columns: ['a'] }).encoder();
    for (const value of [null, 'a', 1, ['a'], Buffer.from('a'), undefined]) {
      expect(() => encoder.add(value as never)).toThrow(
        'as a row of CSV: expected an object with a field for each column',
      );
    }
    expect(encoder.take().length).toBe(0);
    expect(() =>
      csv({ columns: ['x y'] })
        .encoder()
        .add({ 'x y': {} } as never),
    ).toThrow('`$["x y"]`');
  });

  it('is read back by the grammar of RFC 4180, whatever the values', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.string({
        unit: fc.constantFrom('"', ',', ';', '\t', '\r', '\n', ' ', 'a', '|', '\u0001', '#', 'N'),
        maxLength: 6,
      }),
    );
    const cell = fc.oneof(
      text,
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const row = fc.record({ a: cell, 'b "': cell, c: cell });
    const options = fc.record({
      separator: fc.constantFrom(',' as const, ';' as const, '\t' as const, '|' as const, '\u0001' as const),
      lineEnd: fc.constantFrom('crlf' as const, 'lf' as const),
      nullText: fc.constantFrom('', 'N', '\\N'),
      header: fc.constantFrom('names' as const, 'none' as const),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), options, (rows, given) => {
        const names = ['a', 'b "', 'c'] as const;
        const file = fileOf({ columns: names.map((name) => ({ name, nullable: true })), ...given }, rows);
        const seen = read(file, given.separator, given.lineEnd === 'lf' ? '\n' : '\r\n', given.nullText);
        const expected = rows.map((one) => names.map((name) => (one[name] === null ? null : String(one[name]))));
        expect(seen).toEqual([...(given.header === 'names' ? [[...names]] : []), ...expected]);
      }),
      { numRuns: 300 },
    );
  });

  it('names its files by separator and compression', () => {
    const extension = (options: Partial<CsvOptions>) => csv({ columns: ['a'], ...options }).extension;
    expect([extension({}), extension({ separator: ';' }), extension({ separator: '\t', compression: 'gzip' })]).toEqual(
      ['csv', 'csv', 'tsv.gz'],
    );
  });

  it('checks its options at the call', () => {
    const call = (options: unknown) => () => csv(options as never);
    expect(call({})).toThrow('Expected `columns` to be a list of at least one column');
    expect(call({ columns: [] })).toThrow(OptionError);
    expect(call({ columns: ['a', 'a'] })).toThrow(
      'Expected `columns[1].name` to be a name that no other column has, got `"a"`',
    );
    expect(call({ columns: [''] })).toThrow('Expected `columns[0].name` to be a non-empty text');
    expect(call({ columns: [{ name: 'a', type: 'int' }] })).toThrow("Expected `columns[0].type` to be one of 'scalar'");
    expect(call({ columns: [{ name: 'a', type: 'string', size: 1 }] })).toThrow('got `size`');
    expect(call({ columns: [{ name: 'a', nullable: 1 }] })).toThrow(
      'Expected `columns[0].nullable` to be true or false',
    );
    expect(call({ columns: ['a'], separator: '"' })).toThrow("Expected `separator` to be one of ','");
    expect(call({ columns: ['a'], nullText: 'a,b' })).toThrow('Expected `nullText` to be a text that needs no quotes');
    expect(call({ columns: ['a'], header: true })).toThrow("Expected `header` to be one of 'names', 'none'");
    expect(call({ columns: [{ name: 'a', nullable: true }] })).toThrow('alone on its line would be an empty line');
    expect(call({ columns: ['a'], compressionLevel: 3 })).toThrow('Expected `compressionLevel` to be absent');
  });

  it('knows the values’ types from the columns', () => {
    const encoder = csv({
      columns: ['id', { name: 'at', type: 'timestamp' }, { name: 'n', type: 'integer', nullable: true }],
    }).encoder();
    encoder.add({ id: 1, at: new Date(0) });
    encoder.add({ id: 'x', at: new Date(0), n: null });
    // @ts-expect-error a field is missing
    expect(() => encoder.add({ id: 1 })).toThrow(SinkError);
    // @ts-expect-error a number is no time
    expect(() => encoder.add({ id: 1, at: 1 })).toThrow(SinkError);
    // @ts-expect-error an object is no scalar
    expect(() => encoder.add({ id: {}, at: new Date(0) })).toThrow(SinkError);
  });
});
