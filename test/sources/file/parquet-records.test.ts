import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata, type SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { from, lastValueFrom, type Observable, of } from 'rxjs';
import { DecodeError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { column, parquet } from '../../../src/formats/parquet/index.js';
import { readRuns } from '../../../src/formats/parquet/read/runs.js';
import { fileSource } from '../../../src/sources/file/file-source.js';
import { parquetRecords } from '../../../src/sources/file/parquet-records.js';
import { spoolSource } from '../../../src/sources/spool/spool-source.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { SourceRun } from '../../support/source-run.js';
import { PYARROW_ROWS, pyarrowFile } from './pyarrow-file.js';

const FACTS = { stream: 's', values: 2, firstOffset: 0, lastOffset: 1 };

const SCHEMA = {
  id: column.int64(),
  text: column.string().nullable(),
  tags: column.list(column.string()).nullable(),
};

type Row = { readonly id: number; readonly text: string | null; readonly tags: readonly string[] | null };

const rows = (count: number): Row[] =>
  Array.from({ length: count }, (_, id) => ({
    id,
    text: id % 3 === 0 ? null : `é${id}`,
    tags: id % 4 === 0 ? null : Array.from({ length: id % 3 }, (__, n) => `t${n}`),
  }));

type Options = Omit<Parameters<typeof parquet>[0], 'schema'>;

async function written(
  schema: object,
  given: readonly unknown[],
  perGroup = 7,
  options: Options = {},
): Promise<Buffer> {
  const encoder = parquet({ ...options, schema: schema as never }).encoder();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < given.length; at += perGroup) {
    for (const row of given.slice(at, at + perGroup)) encoder.add(row as never);
    parts.push(await lastValueFrom(from(encoder.takeLater?.() ?? [])));
  }
  parts.push(await lastValueFrom(from(encoder.finish?.(FACTS) ?? [])));
  return Buffer.concat(parts);
}

const fileOf = (count: number, perGroup = 7, options: Options = {}) => written(SCHEMA, rows(count), perGroup, options);

/** What is read of a file from a record on. */
async function read(file: Buffer, start = 0, records = parquetRecords(), path = '/a.parquet') {
  const readAt = (at: number, length: number): Observable<Buffer> => {
    reads.push(length);
    return of(Buffer.from(file.subarray(at, at + length)));
  };
  const reads: number[] = [];
  const input = records.openAt({ path, bytes: file.length, readAt }, start);
  const values: unknown[] = [];
  let index = 0;
  for (;;) {
    const batch = await lastValueFrom(input.next());
    if (batch === null) return { values, index, reads };
    index = batch.index ?? index;
    for (const { value } of batch.records) {
      values.push(value);
      index += 1;
    }
  }
}

const errorOf = (file: Buffer, ...more: [number?, ReturnType<typeof parquetRecords>?, string?]) =>
  read(file, ...more).then(
    () => undefined,
    (error: unknown) => error as Error & { readonly code?: string },
  );

describe('parquetRecords', () => {
  const order = {
    id: column.int64(),
    paid: column.boolean(),
    count: column.int32(),
    weight: column.double(),
    ratio: column.float(),
    at: column.timestampMs(),
    exact: column.timestampUs(),
    day: column.date(),
    small: column.decimal(9, 2),
    middle: column.decimal(18, 0),
    large: column.decimal(38, 4),
    key: column.uuid(),
    state: column.enumOf(['open', 'paid']),
    extra: column.json(),
    raw: column.bytes(),
    note: column.string().nullable(),
    lines: column.list(column.struct({ sku: column.string(), tags: column.list(column.string()).nullable() })),
    labels: column.map(column.string(), column.int32().nullable()).nullable(),
    counts: column.map(column.int32(), column.string()),
    from: column.struct({ city: column.string().nullable() }).nullable(),
  };
  const orders = [
    {
      id: 2n ** 63n - 1n,
      paid: true,
      count: -(2 ** 31),
      weight: -0,
      ratio: 0.5,
      at: new Date(-1),
      exact: 1_700_000_000_123_456,
      day: new Date('1582-10-15'),
      small: '-1234567.50',
      middle: '-999999999999999999',
      large: '0.0001',
      key: '0e0e8400-e29b-41d4-a716-446655440000',
      state: 'open',
      extra: { a: [1, '中'] },
      raw: Buffer.from([0, 255]),
      note: '\ufeffé😀',
      lines: [
        { sku: 'a', tags: [] },
        { sku: 'b', tags: ['x', 'y'] },
        { sku: 'c', tags: null },
      ],
      labels: { one: 1, none: null, ['__proto__']: 3 },
      counts: new Map([[7, 'seven']]),
      from: { city: null },
    },
    {
      id: -9_007_199_254_740_991,
      paid: false,
      count: 2 ** 31 - 1,
      weight: Number.MIN_VALUE,
      ratio: -1,
      at: new Date(0),
      exact: 0,
      day: new Date(0),
      small: '0.00',
      middle: '0',
      large: `-${'9'.repeat(34)}.9999`,
      key: '01010101-0101-0101-0101-010101010101',
      state: 'paid',
      extra: null,
      raw: Buffer.alloc(0),
      note: null,
      lines: [],
      labels: null,
      counts: new Map(),
      from: null,
    },
  ];

  it.each(['none', 'snappy', 'gzip'] as const)(
    'gives the values that parquet wrote, with %s: every type',
    async (compression) => {
      const file = await written(order, [...orders, ...orders], 2, { compression });
      const { values } = await read(file);
      expect(values).toEqual([...orders, ...orders]);
      expect(Object.keys((values[0] as { labels: object }).labels)).toContain('__proto__');
      expect(Object.is((values[0] as { weight: number }).weight, -0)).toBe(true);
    },
  );

  it('reads what pyarrow wrote: dictionaries, pages of version 2 with checksums, and what is nested', async () => {
    expect((await read(pyarrowFile())).values).toEqual(PYARROW_ROWS);
  });

  it('resumes at any row, and reads only the row groups from there on', async () => {
    const file = await fileOf(20);
    for (const start of [0, 6, 7, 9, 19]) {
      const { values, index, reads } = await read(file, start);
      expect(values).toEqual(rows(20).slice(start));
      expect(index).toBe(20);
      expect(reads).toHaveLength(2 + 3 - Math.floor(start / 7));
    }
    expect(await read(file, 25)).toMatchObject({ values: [], index: 20 });
    expect((await read(await fileOf(0))).values).toEqual([]);
  });

  it('names what is wrong with a footer', async () => {
    const file = await fileOf(20);
    const length = file.readUInt32LE(file.length - 8);
    const changed = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(file);
      change(bytes);
      return errorOf(bytes).then((error) => error?.message);
    };
    expect((await errorOf(Buffer.from('PAR1')))?.message).toContain('its footer: it is too short');
    expect((await errorOf(file.subarray(0, -3)))?.message).toContain('does not end in `PAR1`');
    expect(await changed((bytes) => bytes.write('PARE', bytes.length - 4))).toContain('it is encrypted');
    expect(await changed((bytes) => bytes.writeUInt32LE(2 ** 31, bytes.length - 8))).toContain(
      'a footer of 2147483648',
    );
    expect(await changed((bytes) => bytes.fill(0xff, bytes.length - 8 - length, bytes.length - 8))).toContain(
      'its footer',
    );
    expect((await errorOf(file, 0, parquetRecords(), '/a.parquet.gz'))?.message).toContain(
      'the whole file is compressed',
    );
  });

  it.each<[number, number, string]>([
    [0, 0, 'of precision 0 and scale 0, and has to have a precision from 1 to 1000'],
    [1_001, 0, 'of precision 1001 and scale 0, and has to have a precision from 1 to 1000'],
    [9, 10, 'of precision 9 and scale 10, and has to have a scale from 0 to its precision'],
    [9, -2, 'of precision 9 and scale -2, and has to have a scale from 0 to its precision'],
    [9, 2 ** 31 - 1, 'and has to have a scale from 0 to its precision'],
  ])('reads no decimals of precision %d and scale %d, which it would take for other values', async (...given) => {
    const [precision, scale, why] = given;
    const olderToo = [{}, { logical_type: { type: 'DECIMAL', precision, scale } as const }];
    for (const logical of olderToo) {
      const price = { name: 'price', type: 'INT32', repetition_type: 'REQUIRED', converted_type: 'DECIMAL' } as const;
      const schema: SchemaElement[] = [
        { name: 'root', num_children: 1 },
        { ...price, precision, scale, ...logical },
      ];
      const writer = new ByteWriter();
      await new ParquetWriter({ writer, schema }).finish();
      const error = await errorOf(Buffer.from(writer.getBytes()));
      expect(error?.message).toContain('its footer: column price is of decimals');
      expect(error?.message).toContain(why);
    }
  });

  it('names the row group and the column of a page that is damaged', async () => {
    const pages = pyarrowFile();
    const chunk = parquetMetadata(pages).row_groups[0]?.columns[1]?.meta_data;
    const at = Number(chunk?.dictionary_page_offset) + Number(chunk?.total_compressed_size) - 1;
    pages[at] = (pages[at] as number) ^ 1;
    const error = await errorOf(pages);
    expect(error?.message).toContain('row group 1, column lang: the checksum of a page is wrong');
    expect(error?.code).toBe('RXF_DECODE_SYNTAX');
  });

  it('bounds the footer and each row group before it takes memory', async () => {
    const file = await fileOf(2_000, 1_000);
    const records = parquetRecords({ maxRowGroupBytes: 2_000 });
    const error = await errorOf(file, 0, records);
    expect(error?.code).toBe('RXF_DECODE_TOO_LARGE');
    expect(error?.message).toContain('Row group 1 of the file');
    const least = parquetRecords({ maxRowGroupBytes: 100 });
    expect((await errorOf(file, 0, least))?.message).toContain('The footer of the file');
  });

  it('believes no run that is longer than its page', () => {
    const runs = (bytes: number[], width: number, count: number) =>
      readRuns(Uint8Array.from(bytes), 0, bytes.length, width, count);
    expect(runs([10, 3], 2, 5)).toEqual([3, 3, 3, 3, 3]);
    expect(() => runs([0xfe, 0xff, 0xff, 0xff, 0x0f, 3], 2, 5)).toThrow('more values than its page');
    expect(() => runs([0xff, 0xff, 0xff, 0xff, 0x0f], 0, 5)).toThrow('more values than its page');
    expect(() => runs([0, 0], 2, 5)).toThrow('more values than its page');
    expect(() => runs([3], 2, 8)).toThrow('longer than its page');
  });

  it('gives records or a DecodeError for any bytes', async () => {
    const files = [await fileOf(15), await fileOf(15, 5, { compression: 'none' }), pyarrowFile()];
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    const records = parquetRecords({ maxRowGroupBytes: 1_000_000 });
    await fc.assert(
      fc.asyncProperty(fc.nat(2), flips, async (which, changes) => {
        const file = Buffer.from(files[which] as Buffer);
        for (const [at, byte] of changes) file[at % file.length] = byte;
        const error = await errorOf(file, 0, records);
        expect(error === undefined || error instanceof DecodeError).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sources of Parquet files', () => {
  it('resume in the middle of a row group, and stop only the file that is damaged', async () => {
    const fs = memoryFileSystem();
    fs.put('/a.parquet', await fileOf(20));
    fs.put('/b.parquet', (await fileOf(20)).subarray(0, -20));
    fs.put('/c.parquet', await fileOf(3));
    const monitor = new Monitor();
    const resumeFrom = (streams: readonly string[]) => of(new Map(streams.map((stream) => [stream, 9])));
    const options = { name: 't', files: ['/a.parquet'], records: parquetRecords(), monitor };
    const resumed = new SourceRun(fileSource(fs, { ...options, resumeFrom }));
    expect(resumed.seen.map(({ value, origin }) => [value, origin.offset])).toEqual(
      rows(20)
        .slice(9)
        .map((row) => [row, row.id]),
    );
    resumed.leave();
    const run = new SourceRun(fileSource(fs, { ...options, files: ['/b.parquet', '/c.parquet'], badFile: 'skip' }));
    for (const delivery of run.seen) delivery.ack();
    expect(run.ended).toBe('complete');
    expect(run.seen.map(({ value }) => value)).toEqual(rows(3));
    expect(monitor.total('rxflume_source_stopped_files_total')).toBe(1);
    const failed = new SourceRun(fileSource(fs, { ...options, files: ['/b.parquet'] }));
    expect(failed.error?.message).toContain('/b.parquet');
    const shorter = new SourceRun(fileSource(fs, { ...options, files: ['/c.parquet'], resumeFrom }));
    expect(shorter.error?.message).toContain('/c.parquet has 3 records, but the ledger says that 9 of them are stored');
  });

  it('read each row once where a spool is stopped within a row group and begins again', async () => {
    const fs = memoryFileSystem();
    fs.put('/in/a.parquet', await fileOf(20));
    const options = { name: 't', folder: '/in', records: parquetRecords(), unchangedForMs: 0, monitor: new Monitor() };
    const stored: unknown[] = [];
    const resumeFrom = (streams: readonly string[]) => of(new Map(streams.map((stream) => [stream, stored.length])));
    for (const until of [10, 20]) {
      const run = new SourceRun(spoolSource(fs, { ...options, resumeFrom }));
      for (const delivery of run.seen.filter(({ origin }) => origin.offset < until)) {
        stored.push(delivery.value);
        delivery.ack();
      }
      run.leave();
    }
    expect(stored).toEqual(rows(20));
  });
});
