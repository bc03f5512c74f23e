import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CsvOptions, csv } from '../../src/formats/csv.js';
import { root } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads a file strictly, as Python's documents say a file of CSV is opened. */
const READER = `
import csv, json, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    rows = list(csv.reader(file, delimiter=sys.argv[2], strict=True))
json.dump(rows, sys.stdout)
`;

function pythonRows(file: string, separator: string): string[][] {
  const rows = execFileSync('python3', ['-c', READER, file, separator], { maxBuffer: 2 ** 28, encoding: 'utf8' });
  return JSON.parse(rows) as string[][];
}

/** Texts of all of Unicode, and of what has a meaning in CSV, the same in every run. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', ',', ';', '\t', '\r', '\n', '\r\n', ' ', 'a', '|', '\\', "'", '#', '\u0000', '\u2028'),
  }),
);
const ROWS = fc.sample(
  fc.record({
    id: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    text,
    note: fc.option(text),
    rate: fc.double({ noNaN: true }),
  }),
  { numRuns: 5_000, seed: 42 },
);

const DUCKDB = `
import duckdb, json, sys
query = '''select * from read_csv(?, header = true, delim = ?, quote = '"', escape = '"', nullstr = ?, all_varchar = true)'''
json.dump(duckdb.connect().execute(query, sys.argv[1:4]).fetchall(), sys.stdout)
`;

describe('DuckDB reads', () => {
  it.each<[string, Partial<Omit<CsvOptions, 'columns'>>]>([
    ['CSV', {}],
    ['TSV', { separator: '\t' }],
  ])(
    '%s with a text for null',
    (name, options) => {
      const python = execFileSync(`${root}scripts/readers`, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      const columns = ['id', { name: 'text', type: 'string' }, { name: 'note', nullable: true }, 'rate'] as const;
      const encoder = csv({ columns, numbers: 'all', nullText: '\\N', ...options }).encoder();
      // DuckDB ends a text at U+0000.
      const rows = ROWS.filter(
        ({ text, note }) => ![text, note].some((one) => one?.includes('\u0000') || one === '\\N'),
      );
      for (const row of rows) encoder.add(row);
      const file = join(folder, `duckdb ${name}`);
      writeFileSync(file, encoder.take());
      const args = ['-c', DUCKDB, file, options.separator ?? ',', '\\N'];
      const read = JSON.parse(execFileSync(python, args, { maxBuffer: 2 ** 28, encoding: 'utf8' })) as (
        | string
        | null
      )[][];
      expect(read.length).toBe(rows.length);
      expect(read).toEqual(rows.map(({ id, text, note, rate }) => [String(id), text, note ?? null, String(rate)]));
    },
    300_000,
  );
});

describe('Python’s csv module reads', () => {
  it.each<[string, Partial<Omit<CsvOptions, 'columns'>>]>([
    ['CSV', {}],
    ['TSV', { separator: '\t' }],
    ['CSV of semicolons and line feeds', { separator: ';', lineEnd: 'lf' }],
    ['bars without a header', { separator: '|', header: 'none' }],
    ['CSV with a text for null', { nullText: '\\N' }],
  ])('%s', (name, options) => {
    const columns = ['id', { name: 'text', type: 'string' }, { name: 'note', nullable: true }, 'rate'] as const;
    const encoder = csv({ columns, numbers: 'all', ...options }).encoder();
    const file = join(folder, name);
    const chunks = ROWS.map((row) => {
      encoder.add(row);
      return encoder.take();
    });
    writeFileSync(file, Buffer.concat(chunks));
    const { separator = ',', header, nullText = '' } = options;
    const expected = ROWS.map((row) => [String(row.id), row.text, row.note ?? nullText, String(row.rate)]);
    const head = header === 'none' ? [] : [['id', 'text', 'note', 'rate']];
    const rows = pythonRows(file, separator);
    expect(rows.length).toBe(expected.length + head.length);
    expect(rows).toEqual([...head, ...expected]);
  });
});
