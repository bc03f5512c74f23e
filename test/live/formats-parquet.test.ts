import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { from, lastValueFrom } from 'rxjs';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { column, type Format, type ParquetRow, parquet } from '../../src/formats/parquet/index.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { SinkRun } from '../support/sink-run.js';
import { root } from './support.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'rxflume-parquet-'));
let python = '';

const COMPRESSIONS = [
  'none',
  'snappy',
  'gzip',
  ...(Number(process.versions.node.split('.')[0]) >= 23 ? ['zstd'] : []),
] as const;
const fileOf = (compression: string) => join(folder, `${compression}.parquet`);
const sparkFileOf = (compression: string) => join(folder, `${compression}-spark.parquet`);

beforeAll(async () => {
  python = (await run(`${root}scripts/readers`)).stdout.trim();
  for (const compression of COMPRESSIONS) await write(compression);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

interface Found {
  readonly rows: readonly Record<string, unknown>[];
  readonly schema: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rowGroups: readonly number[];
  readonly duckdb: {
    readonly rows: readonly Record<string, unknown>[];
    readonly schema: Readonly<Record<string, string>>;
  };
  readonly wrong: readonly string[];
}

async function read(file: string): Promise<Found> {
  const { stdout } = await run(python, [`${root}scripts/readers.d/parquet.py`, file], {
    maxBuffer: 256 << 20,
    timeout: 120_000,
  });
  return JSON.parse(stdout) as Found;
}

const schema = {
  id: column.int64().fieldId(1),
  large: column.int64().nullable(),
  flag: column.boolean().nullable(),
  small: column.int32(),
  single: column.float().nullable(),
  double: column.double().nullable(),
  name: column.string(),
  word: column.string().nullable(),
  raw: column.bytes().nullable(),
  at: column.timestampMs(),
  exact: column.timestampUs().nullable(),
  day: column.date(),
  price: column.decimal(9, 2),
  total: column.decimal(18, 6).nullable(),
  huge: column.decimal(38, 10),
  key: column.uuid(),
  state: column.enumOf(['open', 'paid', 'sent']),
  extra: column.json().nullable(),
  tags: column.list(column.string().nullable()).nullable(),
  lines: column.list(column.struct({ sku: column.string(), counts: column.list(column.int32()) })),
  labels: column.map(column.string(), column.double().nullable()).nullable(),
  from: column.struct({ city: column.string().nullable(), zip: column.int32() }).nullable(),
};
type Row = ParquetRow<typeof schema>;

/** Of each, the nth; where there are fewer, from the first again. */
const nth = <T>(n: number, values: readonly T[]): T => values[n % values.length] as T;
const EDGES = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n, -(2n ** 53n) - 1n, 2n ** 32n, -(2n ** 32n)];
const FLOATS = [0, -0, 1.5, -1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** -149, 2 ** 127];
const DOUBLES = [0, -0, 0.1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e300, 2 ** 53];
const WORDS = [
  '',
  'a',
  'é',
  '中文',
  '\uff21',
  '\u{1f600}',
  '\u{10ffff}',
  'a'.repeat(40),
  `a${'é'.repeat(30)}`,
  "quote'\n\0",
];
const DAYS = ['1970-01-01', '1969-12-31', '0001-01-01', '9999-12-31', '2024-02-29', '1582-10-04'];
const TIMES = [0, -1, 1_700_000_000_123, -62_135_596_800_000, 253_402_300_799_999];

/** A file of three row groups; and one without the column that Spark 4.0 cannot read. */
async function write(compression: string): Promise<void> {
  const { key: _, ...readBySpark } = schema;
  await writeFileOf(fileOf(compression), parquet({ schema, compression: compression as 'none' }));
  await writeFileOf(sparkFileOf(compression), parquet({ schema: readBySpark, compression: compression as 'none' }));
}

async function writeFileOf(file: string, format: Format<Row>): Promise<void> {
  const encoder = format.encoder();
  const parts: Uint8Array[] = [];
  for (const [n, row] of rows.entries()) {
    encoder.add(row);
    if (n % 80 === 79) parts.push(await lastValueFrom(from(encoder.takeLater?.() ?? [])));
  }
  const facts = { stream: 'kafka:chat/3', values: rows.length, firstOffset: 7, lastOffset: 300 };
  parts.push(await lastValueFrom(from(encoder.finish?.(facts) ?? [])));
  writeFileSync(file, Buffer.concat(parts));
}

/** Values in a range of their own for each row group, so that its statistics say whether it is read; and edges between. */
function rowOf(n: number): Row {
  const group = Math.floor(n / 80);
  const isThird = n % 3 === 0;
  return {
    id: n,
    large: isThird ? null : nth(n, EDGES),
    flag: isThird ? null : group === 0,
    small: nth(n, [-(2 ** 31), 2 ** 31 - 1, group * 1_000 + n]),
    single: n % 5 === 0 ? null : nth(n, FLOATS),
    double: n % 11 === 10 && group === 1 ? Number.NaN : isThird ? null : nth(n, DOUBLES),
    name: `name-${String(n).padStart(4, '0')}`,
    word: isThird ? null : nth(n, WORDS),
    raw: isThird ? null : Uint8Array.from({ length: n % 20 }, (_, at) => (n * 31 + at * 7) % 256),
    at: group === 0 ? nth(n, TIMES) : new Date(1_764_240_000_000 + n),
    exact: isThird ? null : BigInt(n) * 1_000_003n - 5_000_000n,
    day: nth(n, DAYS),
    price: nth(n, ['-9999999.99', '9999999.99', '0', '0.01', n]),
    total: isThird ? null : `${n % 2 === 0 ? '-' : ''}${n}00000000.123456`,
    huge: nth(n, [
      '-9999999999999999999999999999.9999999999',
      '9999999999999999999999999999.9999999999',
      '-0.0000000001',
      n,
    ]),
    key: `${String(n).padStart(8, '0')}-0000-4000-8000-ffffffffffff`,
    state: nth(n + group, ['open', 'paid', 'sent']),
    extra: nth(n, [null, { a: [1, null, '中'] }, [], 'text']),
    tags: nth(n, [null, [], [null], ['a', null, 'b'], ['\u{1f600}']]),
    lines: Array.from({ length: n % 4 }, (_, at) => ({
      sku: `s${at}`,
      counts: Array.from({ length: (n + at) % 3 }, (__, of) => of - at),
    })),
    labels: nth(n, [null, {}, { one: 1, none: null }, new Map([['中', -0]])]),
    from: nth(n, [null, { city: null, zip: n }, { city: 'x', zip: -n }]),
  };
}

const float = (value: number) => {
  if (Number.isNaN(value)) return 'float nan';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `float ${bytes.toString('hex')}`;
};
const orNull = <T, R>(value: T | null | undefined, then: (value: T) => R): R | null =>
  value == null ? null : then(value);
const int = (value: number | bigint) => `int ${value}`;
/** The digits of a decimal with so many after the point. */
const decimal = (scale: number) => (value: unknown) => {
  const [whole = '', fraction = ''] = String(value).split('.');
  return `decimal ${whole}.${fraction.padEnd(scale, '0')}`;
};

/** A row in the form that the readers print. */
function printed(row: Row): Record<string, unknown> {
  const labels = row.labels instanceof Map ? [...row.labels] : orNull(row.labels, Object.entries);
  return {
    id: int(row.id),
    large: orNull(row.large, int),
    flag: row.flag ?? null,
    small: int(row.small),
    single: orNull(row.single, float),
    double: orNull(row.double, float),
    name: row.name,
    word: row.word ?? null,
    raw: orNull(row.raw, (bytes) => `bytes ${Buffer.from(bytes).toString('hex')}`),
    at: `us ${Number(row.at) * 1_000}`,
    exact: orNull(row.exact, (us) => `us ${us}`),
    day: `day ${Date.parse(`${row.day as string}T00:00:00Z`) / 86_400_000}`,
    price: decimal(2)(row.price),
    total: orNull(row.total, decimal(6)),
    huge: decimal(10)(row.huge),
    key: row.key,
    state: row.state,
    extra: orNull(row.extra, (value) => JSON.stringify(value)),
    tags: row.tags ?? null,
    lines: row.lines.map(({ sku, counts }) => ({ sku, counts: counts.map(int) })),
    labels: orNull(labels, (entries) => entries.map(([key, value]) => [key, orNull(value as number | null, float)])),
    from: orNull(row.from, ({ city, zip }) => ({ city: city ?? null, zip: int(zip) })),
  };
}

/** Columns that a reader gives another type, in the form of the rest. */
function leveled(rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const textOf = (value: unknown) =>
    typeof value === 'string' && value.startsWith('bytes ') ? Buffer.from(value.slice(6), 'hex').toString() : value;
  const key = (value: unknown) => String(value).replace(/^uuid /, '');
  return rows.map((row) => ({ ...row, key: key(row.key), state: textOf(row.state), extra: textOf(row.extra) }));
}

const rows = Array.from({ length: 240 }, (_, n) => rowOf(n));

describe('Parquet files, read by pyarrow, DuckDB and Spark', () => {
  it.each(COMPRESSIONS)(
    'hold every row, and statistics that filters may use: %s',
    async (compression) => {
      const found = await read(fileOf(compression));
      expect(found.rowGroups).toEqual([80, 80, 80]);
      expect(found.metadata).toMatchObject({ 'rxflume.stream': 'kafka:chat/3', 'rxflume.last_offset': '300' });
      const expected = rows.map(printed);
      expect(leveled(found.rows)).toEqual(expected);
      expect(leveled(found.duckdb.rows)).toEqual(expected);
      expect(found.wrong).toEqual([]);
      expect(found.schema).toMatchObject({
        at: 'timestamp[ms, tz=UTC]',
        exact: 'timestamp[us, tz=UTC]',
        price: 'decimal128(9, 2)',
      });
      expect(found.duckdb.schema).toMatchObject({ huge: 'DECIMAL(38,10)', day: 'DATE', key: 'UUID', word: 'VARCHAR' });
    },
    180_000,
  );

  it('hold the same for Spark, which trusts statistics by who wrote them', async () => {
    const args = [`${root}scripts/readers.d/spark.py`, ...COMPRESSIONS.map(sparkFileOf)];
    const { stdout } = await run(python, args, { maxBuffer: 256 << 20, timeout: 170_000 });
    const all = JSON.parse(stdout) as { rows: Record<string, unknown>[][]; filters: number; wrong: string[] };
    const expected = rows.map((row) => ({ ...printed(row), key: 'undefined' }));
    expect([all.wrong, all.filters >= 30, all.rows.length]).toEqual([[], true, COMPRESSIONS.length]);
    for (const found of all.rows) expect(leveled(found)).toEqual(expected);
  }, 180_000);

  it('are whole when a flow to the local disk has ended, in every bucket', async () => {
    const sink = fileSink<Row>(localDisk(), {
      root: join(folder, 'lake'),
      path: ({ state }) => `state=${state}`,
      format: parquet({ schema, rowGroup: { count: 30 }, compression: 'gzip' }),
      roll: { count: 200 },
    });
    const flow = new SinkRun<Row>(sink.write(), 'kafka:chat/3');
    for (const [offset, row] of rows.entries()) flow.put(row, { offset }, flow.acker, String(offset));
    flow.complete();
    while (flow.ended === '') await new Promise((resolve) => setTimeout(resolve, 50));
    expect([flow.ended, flow.acker.acks.length, flow.receipts.length]).toEqual(['complete', 240, 6]);
    const { stdout } = await run(python, [
      '-c',
      'import sys, duckdb; print(duckdb.sql(f"select count(*), count(distinct id), sum(id), count(distinct state), ' +
        "count_if(filename not like '%state=' || state || '%') from read_parquet('{sys.argv[1]}/state=*/*.parquet', filename = true, " +
        'hive_partitioning = false)").fetchall())',
      join(folder, 'lake'),
    ]);
    expect(stdout.trim()).toBe('[(240, 240, 28680, 3, 0)]');
  }, 60_000);
});
