import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { asyncScheduler, from, lastValueFrom } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { Encoder, Format } from '../../src/formats/format.js';
import { BytesLeaf } from '../../src/formats/parquet/bytes-leaf.js';
import {
  column,
  type ParquetColumn,
  type ParquetOptions,
  type ParquetRow,
  type ParquetSchema,
  parquet,
} from '../../src/formats/parquet/index.js';
import { pageCodecOf } from '../../src/formats/parquet/page-codec.js';
import { pagesOf } from '../../src/formats/parquet/pages.js';
import { RowGroup } from '../../src/formats/parquet/row-group.js';
import { keptBounds } from '../../src/formats/parquet/row-group-facts.js';
import { schemaTree } from '../../src/formats/parquet/schema-tree.js';
import { SLICE_BYTES, Slices, type Work } from '../../src/formats/parquet/slices.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { SinkRun } from '../support/sink-run.js';
import { inVirtualTime } from '../support/virtual-time.js';

const FACTS = { stream: 'kafka:chat/3', values: 2, firstOffset: 7, lastOffset: 9 };

/** A file of these row groups. */
async function fileOf<T>(format: Format<T>, ...groups: readonly (readonly T[])[]): Promise<Uint8Array> {
  const encoder = format.encoder();
  const parts: Uint8Array[] = [];
  for (const rows of groups) {
    for (const row of rows) encoder.add(row);
    if (encoder.takeLater !== undefined) parts.push(await lastValueFrom(from(encoder.takeLater())));
  }
  if (encoder.finish !== undefined) parts.push(await lastValueFrom(from(encoder.finish(FACTS))));
  return Buffer.concat(parts);
}

const bufferOf = (bytes: Uint8Array) => Uint8Array.prototype.slice.call(bytes).buffer as ArrayBuffer;

/** Its rows, by a reader that is not ours; of what is null it makes undefined in some columns. */
async function rowsOf(file: Uint8Array): Promise<unknown> {
  return withNulls(
    await parquetReadObjects({ file: bufferOf(file), utf8: false, compressors: { GZIP: (page) => gunzipSync(page) } }),
  );
}

function withNulls(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(withNulls);
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, withNulls(one)]));
}

/** The file that an encoder makes of what was added. */
async function closed<T>(encoder: Encoder<T>): Promise<Uint8Array> {
  const parts = [encoder.takeLater?.() ?? [], encoder.finish?.(FACTS) ?? []];
  return Buffer.concat(await Promise.all(parts.map((part) => lastValueFrom(from(part)))));
}

async function oneColumn<T>(
  one: ParquetColumn<T>,
  values: readonly T[],
  options: Partial<ParquetOptions<ParquetSchema>> = {},
): Promise<{ values: unknown[]; metadata: FileMetaData }> {
  const rows = values.map((v) => ({ v }));
  const file = await fileOf(parquet({ ...options, schema: { v: one as ParquetColumn<unknown> } }), rows as never);
  return {
    values: ((await rowsOf(file)) as { v: unknown }[]).map(({ v }) => v),
    metadata: parquetMetadata(bufferOf(file)),
  };
}

describe('parquet', () => {
  it('writes what another reader reads: every type, nulls, and what is nested', async () => {
    const order = {
      id: column.int64().fieldId(1),
      paid: column.boolean(),
      count: column.int32(),
      weight: column.double(),
      at: column.timestampMs(),
      exact: column.timestampUs(),
      day: column.date(),
      total: column.decimal(9, 2),
      key: column.uuid(),
      state: column.enumOf(['open', 'paid']),
      extra: column.json(),
      raw: column.bytes(),
      note: column.string().nullable(),
      lines: column.list(column.struct({ sku: column.string(), tags: column.list(column.string()).nullable() })),
      labels: column.map(column.string(), column.int32().nullable()),
      from: column.struct({ city: column.string().nullable() }).nullable(),
    };
    const rows: ParquetRow<typeof order>[] = [
      {
        id: 2n ** 63n - 1n,
        paid: true,
        count: -(2 ** 31),
        weight: -0,
        at: new Date('1969-12-31T23:59:59.999Z'),
        exact: 1_700_000_000_123_456n,
        day: '1582-10-15',
        total: '-1234567.5',
        key: '0E0E8400-e29b-41d4-a716-446655440000',
        state: 'open',
        extra: { a: [1, '中'] },
        raw: Uint8Array.of(0, 255),
        note: 'é😀',
        lines: [
          { sku: 'a', tags: [] },
          { sku: 'b', tags: ['x', 'y'] },
          { sku: 'c', tags: null },
        ],
        labels: { one: 1, none: null },
        from: { city: null },
      },
      {
        id: -9_007_199_254_740_991,
        paid: false,
        count: 2 ** 31 - 1,
        weight: Number.MIN_VALUE,
        at: 0,
        exact: new Date(1),
        day: new Date(0),
        total: 0.5,
        key: Buffer.alloc(16, 1),
        state: 'paid',
        extra: null,
        raw: Uint8Array.of(),
        lines: [],
        labels: new Map(),
      },
    ];
    const file = await fileOf(parquet({ schema: order }), rows, rows);
    const read = await rowsOf(file);
    const expected = [
      {
        id: 2n ** 63n - 1n,
        paid: true,
        count: -(2 ** 31),
        weight: -0,
        at: new Date(-1),
        exact: new Date(1_700_000_000_123),
        day: new Date('1582-10-15'),
        total: -1234567.5,
        key: '0e0e8400-e29b-41d4-a716-446655440000',
        state: Uint8Array.from(Buffer.from('open')),
        extra: { a: [1, '中'] },
        raw: Uint8Array.of(0, 255),
        note: 'é😀',
        lines: [
          { sku: 'a', tags: [] },
          { sku: 'b', tags: ['x', 'y'] },
          { sku: 'c', tags: null },
        ],
        labels: { one: 1, none: null },
        from: { city: null },
      },
      {
        id: -9_007_199_254_740_991n,
        paid: false,
        count: 2 ** 31 - 1,
        weight: Number.MIN_VALUE,
        at: new Date(0),
        exact: new Date(1),
        day: new Date(0),
        total: 0.5,
        key: '01010101-0101-0101-0101-010101010101',
        state: Uint8Array.from(Buffer.from('paid')),
        extra: null,
        raw: Uint8Array.of(),
        note: null,
        lines: [],
        labels: {},
        from: null,
      },
    ];
    expect(read).toEqual([...expected, ...expected]);
  });

  it('says in the footer who wrote it, in the form that parquet-java parses, the stream and its offsets, and field ids', async () => {
    const file = await fileOf(parquet({ schema: { a: column.int32().fieldId(5) } }), [{ a: 1 }]);
    const { created_by, key_value_metadata, schema } = parquetMetadata(bufferOf(file));
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(/^(.*?)\s+version\s*([^(]*?)\s*\(\s*build\s*([^)]*?)\s*\)$/.exec(created_by as string)?.slice(1)).toEqual([
      'rxflume',
      version,
      'hyparquet-writer 0.17.0',
    ]);
    expect(key_value_metadata).toEqual([
      { key: 'rxflume.stream', value: 'kafka:chat/3' },
      { key: 'rxflume.first_offset', value: '7' },
      { key: 'rxflume.last_offset', value: '9' },
      { key: 'rxflume.values', value: '2' },
    ]);
    expect(schema[1]).toMatchObject({ name: 'a', type: 'INT32', field_id: 5, repetition_type: 'REQUIRED' });
  });

  it.each(['none', 'snappy', 'gzip'] as const)('compresses pages with %s', async (compression) => {
    const values = Array.from({ length: 3_000 }, (_, n) => `text ${n % 7}`);
    const { values: read, metadata } = await oneColumn(column.string(), values, { compression });
    expect(read).toEqual(values);
    const codec = { none: 'UNCOMPRESSED', snappy: 'SNAPPY', gzip: 'GZIP' }[compression];
    expect(metadata.row_groups[0]?.columns[0]?.meta_data?.codec).toBe(codec);
  });

  it('keeps repeated texts once, and gives the dictionary up where they do not repeat', async () => {
    const repeated = Array.from({ length: 5_000 }, (_, n) => `user-${n % 100}${'é'.repeat(n % 3)}`);
    const distinct = Array.from({ length: 9_000 }, (_, n) => `user-${n}${'é'.repeat(n % 60)}`);
    const mixed = [...repeated, ...distinct, ...distinct];
    for (const [values, isKept] of [
      [repeated, true],
      [distinct, false],
      [mixed, false],
    ] as const) {
      const { values: read, metadata } = await oneColumn(column.string(), values);
      expect(read).toEqual(values);
      const { meta_data } = metadata.row_groups[0]?.columns[0] ?? {};
      expect(meta_data?.encodings.includes('RLE_DICTIONARY')).toBe(isKept);
      const sorted = [...values].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(meta_data?.statistics?.min_value).toBe(sorted[0]);
    }
  });

  it('gives the sink the type of each column by its path, for those that come after', () => {
    const note = column.string();
    const schema = {
      ...{ id: column.int64(), price: column.decimal(9, 2), at: column.timestampMs(), state: column.enumOf(['a']) },
      ...{ lines: column.list(column.struct({ sku: note })), labels: column.map(note, column.int32()) },
    };
    const { columns } = parquet({ schema });
    expect(columns).toEqual({
      ...{ id: 'int64', price: 'decimal(9, 2)', at: 'timestamp(ms)', state: 'enum', lines: 'list' },
      ...{ 'lines.element': 'struct', 'lines.element.sku': 'string' },
      ...{ labels: 'map', 'labels.key': 'string', 'labels.value': 'int32' },
    });
    // What readers merge is the same.
    const { columns: later } = parquet({
      schema: { ...schema, id: column.int64().nullable(), state: column.enumOf(['b']) },
    });
    expect(later).toEqual(columns);
  });

  it('keeps of bounds no memory of the values, and none of long texts: an open file has them of each row group', () => {
    const boundsOf = (...texts: readonly string[]) => {
      const group = new RowGroup(schemaTree({ v: column.string(), id: column.uuid() }).root, 'drop');
      for (const v of texts) group.add({ v, id: '0e0e8400-e29b-41d4-a716-446655440000' });
      return group.leaves.map((leaf) => keptBounds(leaf.pages().bounds));
    };
    const [text, uuid] = boundsOf('b'.repeat(2_000), 'a', 'c'.repeat(2_000));
    expect([text?.min, text?.max]).toEqual(['a', 'c'.repeat(2_000)]);
    expect(uuid?.min).toHaveLength(16);
    expect(boundsOf('b'.repeat(2_048), 'c'.repeat(2_049))[0]).toBeUndefined();
    expect(boundsOf('b'.repeat(2_048), 'c'.repeat(2_048))[0]).toBeDefined();
  });

  it('has bounds in the statistics, in the order of each type; none where there is a NaN', async () => {
    const bounds = async <T>(one: ParquetColumn<T>, values: readonly T[]) => {
      const { metadata } = await oneColumn(one, values);
      const { min_value, max_value, null_count } = metadata.row_groups[0]?.columns[0]?.meta_data?.statistics ?? {};
      return [min_value, max_value, null_count];
    };
    expect(await bounds(column.int64(), [5, -(2n ** 63n), 2n ** 40n, -3])).toEqual([-(2n ** 63n), 2n ** 40n, 0n]);
    expect(await bounds(column.int32().nullable(), [null, 3, -1, null])).toEqual([-1, 3, 2n]);
    expect(await bounds(column.string(), ['\u{1f600}', '\uff21', 'a'])).toEqual(['a', '\u{1f600}', 0n]);
    expect(await bounds(column.double(), [0, -0, 5])).toEqual([-0, 5, 0n]);
    expect(await bounds(column.double(), [-5, -0])).toEqual([-5, 0, 0n]);
    expect(await bounds(column.double(), [1, Number.NaN])).toEqual([undefined, undefined, 0n]);
    expect(await bounds(column.boolean(), [true, true])).toEqual([true, true, 0n]);
    expect(await bounds(column.decimal(30, 1), ['-7.5', '12345678901234567890123456789'])).toEqual([
      -7.5,
      1.2345678901234568e28,
      0n,
    ]);
    expect(await bounds(column.string().nullable(), [null])).toEqual([undefined, undefined, 1n]);
  });

  const nested = column.list(column.struct({ a: column.list(column.int32().nullable()), b: column.string() }));

  it.each<[string, ParquetColumn<unknown>, unknown, RegExp]>([
    ['int32', column.int32(), 2 ** 31, /at `v` expected a whole number of 32 bits, got 2147483648 \(number\)/],
    ['int32, a fraction', column.int32(), 1.5, /whole number/],
    ['int64, beyond safe', column.int64(), 2 ** 53, /a safe integer, or a bigint/],
    ['int64, beyond 64 bits', column.int64(), 2n ** 63n, /a whole number of 64 bits/],
    ['int64, a text', column.int64(), '5', /a whole number of 64 bits/],
    ['float, beyond 32 bits', column.float(), 1e39, /a number that 32 bits hold/],
    ['double', column.double(), '1', /a number/],
    ['boolean', column.boolean(), 0, /true or false/],
    ['string', column.string(), 5, /text/],
    ['string, half a pair', column.string(), 'a\ud800', /surrogate/],
    ['bytes', column.bytes(), 'a', /bytes/],
    ['timestampMs', column.timestampMs(), '2026-01-01', /a Date, or whole milliseconds/],
    ['timestampMs, invalid', column.timestampMs(), new Date(Number.NaN), /a valid Date/],
    ['timestampUs', column.timestampUs(), 0.5, /whole microseconds/],
    ['date, with a time', column.date(), new Date(1), /midnight/],
    ['date, that is none', column.date(), '2026-02-30', /a day that exists/],
    ['decimal, too many digits', column.decimal(4, 2), '100.00', /a decimal of 4 digits, 2 of them after the point/],
    ['decimal, a whole number too large', column.decimal(4, 2), 100n, /a decimal of 4 digits/],
    ['decimal of 64 bits, too many digits', column.decimal(18, 2), `1${'0'.repeat(16)}.00`, /a decimal of 18 digits/],
    ['decimal of 16 bytes, too many digits', column.decimal(38, 0), -(10n ** 38n), /a decimal of 38 digits/],
    ['decimal, too fine', column.decimal(4, 2), 0.125, /a decimal/],
    ['decimal of 16 bytes, too fine', column.decimal(38, 2), '0.001', /at `v` expected a decimal/],
    ['decimal, a text that takes long', column.decimal(4, 2), `${'0'.repeat(2_000)}.1`, /a decimal of 4 digits/],
    ['decimal, no number', column.decimal(4, 2), 'x', /a decimal/],
    ['uuid', column.uuid(), 'abc', /a UUID/],
    ['enum', column.enumOf(['a', 'b']), 'c', /one of 'a', 'b'/],
    ['json', column.json(), new Map(), /JSON form/],
    ['null', column.int32(), null, /a value, since the column is not nullable, got null/],
    ['absent', column.struct({ a: column.int32() }), {}, /at `v\.a` expected a value/],
    ['list', column.list(column.int32()), { 0: 1 }, /an array/],
    [
      'list, within',
      nested,
      [
        { a: [], b: '' },
        { a: [1, null, 'x'], b: '' },
      ],
      /at `v\[1\]\.a\[2\]` expected/,
    ],
    ['map, within', column.map(column.string(), column.int32()), { k: 'x' }, /at `v\["k"\]` expected/],
    ['map, a date', column.map(column.string(), column.int32()), new Date(0), /a Map or an object/],
    ['struct, bytes', column.struct({ a: column.int32().nullable() }), Buffer.from('{}'), /an object/],
  ])('nacks what does not fit, with its path, and adds nothing: %s', async (_, one, wrong, message) => {
    const format = parquet({ schema: { n: column.int32(), v: one.nullable(), z: column.list(column.string()) } });
    const strict = parquet({ schema: { n: column.int32(), v: one, z: column.list(column.string()) } });
    const rejecting = strict.encoder();
    const row = { n: 1, v: wrong, z: ['never'] };
    expect(() => rejecting.add(row as never)).toThrow(message);
    expect(() => rejecting.add(row as never)).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT' }));
    const encoder = format.encoder();
    encoder.add({ n: 0, z: ['a', 'b'] } as never);
    if (wrong !== null) expect(() => encoder.add(row as never)).toThrow(message);
    encoder.add({ n: 2, z: [] } as never);
    expect(await rowsOf(await closed(encoder))).toEqual([
      { n: 0, v: null, z: ['a', 'b'] },
      { n: 2, v: null, z: [] },
    ]);
  });

  it('takes back a row of nested lists to its start, the words that it brought too', async () => {
    const schema = { l: column.list(column.list(column.string())), n: column.int32() };
    const encoder = parquet({ schema }).encoder();
    encoder.add({ l: [['a'], [], ['b', 'a']], n: 1 });
    expect(() =>
      encoder.add({
        l: [
          ['c', 'd'],
          ['a', 5 as never],
        ],
        n: 2,
      }),
    ).toThrow('l[1][1]');
    expect(() => encoder.add({ l: [['e']], n: 2.5 })).toThrow('`n`');
    encoder.add({ l: [['d']], n: 3 });
    const file = await closed(encoder);
    expect(await rowsOf(file)).toEqual([
      { l: [['a'], [], ['b', 'a']], n: 1 },
      { l: [['d']], n: 3 },
    ]);
    expect(parquetMetadata(bufferOf(file)).row_groups[0]?.columns[0]?.meta_data?.statistics?.max_value).toBe('d');
  });

  it('leaves out fields that the schema does not have, or rejects them if asked to', async () => {
    const schema = { a: column.struct({ b: column.int32() }) };
    const value = { a: { b: 1, c: 2 } };
    expect(await rowsOf(await fileOf(parquet({ schema }), [value]))).toEqual([{ a: { b: 1 } }]);
    expect(() => parquet({ schema, unknownFields: 'nack' }).encoder().add(value)).toThrow(
      'at `a.c` expected nothing, since the schema has no such column, got 2',
    );
  });

  it('writes any rows so that they are read again, whatever was rejected between', async () => {
    const schema = {
      n: column.int64(),
      s: column.string().nullable(),
      l: column.list(
        column.struct({ k: column.string(), v: column.list(column.int32().nullable()).nullable() }).nullable(),
      ),
      m: column.map(column.string(), column.list(column.boolean())).nullable(),
    };
    const text = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string({ unit: 'grapheme' }));
    const row = fc.record({
      n: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      s: fc.option(text),
      l: fc.array(
        fc.option(fc.record({ k: text, v: fc.option(fc.array(fc.option(fc.integer({ min: -9, max: 9 })))) })),
        { maxLength: 3 },
      ),
      m: fc.option(
        fc.dictionary(fc.constantFrom('x', 'y'), fc.array(fc.boolean(), { maxLength: 3 }), { noNullPrototype: true }),
      ),
    });
    const bad = row.map((one) => ({ ...one, l: [...one.l, { k: 5 }] }));
    const rows = fc.array(fc.oneof({ arbitrary: row, weight: 4 }, { arbitrary: bad, weight: 1 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const encoder = parquet({ schema, compression: 'none' }).encoder();
        const taken = given.filter((one) => {
          try {
            encoder.add(one as never);
            return true;
          } catch {
            return false;
          }
        });
        expect(await rowsOf(await closed(encoder))).toEqual(taken);
      }),
      { numRuns: 60 },
    );
  });

  it('does not search long where texts were made to have one hash', () => {
    const leaf = new BytesLeaf(
      { path: ['v'], element: { name: 'v' }, definition: 0, repetition: 0 },
      { bytes: 0, room: 8 },
      (value) => value as string,
    );
    for (let n = 0; n < 300; n += 1) leaf.add(`w${n}`, 0);
    expect(leaf.pages().dictionary?.words).toBe(300);
  });

  it('gives the types of the values', () => {
    const schema = { id: column.int64(), tag: column.enumOf(['a', 'b']).nullable(), l: column.list(column.string()) };
    type Row = ParquetRow<typeof schema>;
    const rows: Row[] = [
      { id: 1n, tag: 'a', l: ['x'] },
      { id: 1, l: [] },
      // @ts-expect-error not one of the texts
      { id: 1, tag: 'c', l: [] },
      // @ts-expect-error a list of texts
      { id: 1, l: [1] },
      // @ts-expect-error absent, and not nullable
      { l: [] },
    ];
    expect(rows).toHaveLength(5);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no schema', () => parquet({} as never), /`schema` to be an object of at least one column/],
    ['no column', () => parquet({ schema: {} }), /at least one column/],
    ['a wrong column', () => parquet({ schema: { a: 'int' as never } }), /`schema\.a` to be a column such as/],
    ['a wrong codec', () => parquet({ schema: { a: column.int32() }, compression: 'lz4' as never }), /`compression`/],
    ['rows', () => parquet({ schema: { a: column.int32() }, rowGroup: { count: 0 } }), /`rowGroup\.count`/],
    ['no digits', () => column.decimal(0, 0), /`precision` to be a whole number from 1 to 38/],
    ['too many digits', () => column.decimal(39, 0), /`precision` to be a whole number from 1 to 38/],
    ['a part of a digit', () => column.decimal(2.5, 0), /`precision`/],
    ['a scale below 0', () => column.decimal(3, -1), /`scale`/],
    ['no scale', () => column.decimal(3, undefined as never), /`scale`/],
    ['scale', () => column.decimal(3, 4), /`scale` to be a whole number from 0 to 3/],
    ['a nullable key', () => column.map(column.string().nullable(), column.int32()), /`key`/],
    ['no symbols', () => column.enumOf([]), /`symbols`/],
    ['an unknown option', () => parquet({ schema: { a: column.int32() }, rows: 5 } as never), /`rows`/],
  ])('rejects at the call: %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('a large row group', () => {
  const schema = {
    n: column.int64(),
    word: column.string(),
    text: column.string(),
    tags: column.list(column.string()),
  };
  /** Texts of their own, which no compression makes small. */
  const rowOf = (n: number) => {
    const noise = Array.from({ length: 40 }, (_, at) => Math.imul(n * 41 + at, 0x9e3779b1) >>> 0);
    return { n, word: `w${n % 900}`, text: noise.map((one) => one.toString(36)).join(''), tags: [`t${n}`, 'x'] };
  };
  const rows = Array.from({ length: 20_000 }, (_, n) => rowOf(n));

  it('is encoded a slice a turn, so that the event loop runs between', () => {
    const group = new RowGroup(schemaTree(schema).root, 'drop');
    for (const row of rows) group.add(row);
    expect(group.bytes).toBeGreaterThan(5 * 1_024 * 1_024);
    const turns = jest.spyOn(asyncScheduler, 'schedule');
    const steps: number[] = [];
    const bytesOfTurns: number[] = [];
    function* counted<T>(work: Work<T>): Work<T> {
      for (let step = work.next(); ; step = work.next()) {
        if (step.done === true) return step.value;
        const turn = turns.mock.calls.length;
        steps.push(step.value);
        bytesOfTurns[turn] = (bytesOfTurns[turn] ?? 0) + step.value;
        yield step.value;
      }
    }
    let isDone = false;
    inVirtualTime(() => {
      const slices = new Slices();
      slices.run(counted(pagesOf(group.leaves, pageCodecOf('snappy')))).subscribe(() => {
        isDone = true;
      });
      expect(isDone).toBe(false);
    });
    turns.mockRestore();
    expect(isDone).toBe(true);
    expect(Math.max(...steps)).toBeLessThanOrEqual(40_000 * 16);
    expect(Math.max(...bytesOfTurns)).toBeLessThan(SLICE_BYTES + Math.max(...steps));
    expect(bytesOfTurns.length).toBeGreaterThan(8);
  });

  it('has the same rows, behind those of the one before', async () => {
    const encoder = parquet({ schema }).encoder();
    const few = rows.slice(0, 4_000);
    for (const row of few) encoder.add(row);
    const first$ = encoder.takeLater?.() ?? [];
    encoder.add(rowOf(few.length));
    const second$ = encoder.takeLater?.() ?? [];
    const parts = [await lastValueFrom(from(first$)), await lastValueFrom(from(second$))];
    parts.push(await lastValueFrom(from(encoder.finish?.(FACTS) ?? [])));
    const read = (await rowsOf(Buffer.concat(parts))) as { n: bigint; text: string }[];
    expect(read.length).toBe(4_001);
    expect(read.every(({ n, text }, at) => n === BigInt(at) && text === rowOf(at).text)).toBe(true);
  });

  it('passes on what fails', () => {
    function* failing(): Work<void> {
      yield SLICE_BYTES;
      throw new Error('no memory');
    }
    const ends: string[] = [];
    inVirtualTime(() => {
      const slices = new Slices();
      slices.run(failing()).subscribe({ error: (error: Error) => ends.push(error.message) });
      slices.run(pagesOf([], pageCodecOf('none'))).subscribe(() => ends.push('the next'));
      expect(ends).toEqual([]);
    });
    expect(ends).toEqual(['no memory', 'the next']);
  });
});

describe('parquet in a file sink', () => {
  type Row = { readonly n: number; readonly at: string };
  const schema = { n: column.int32(), at: column.string() };

  function start(options: Partial<ParquetOptions<typeof schema>>, roll = {}) {
    const fs = memoryFileSystem();
    const sink = fileSink<Row>(fs, {
      root: '/lake',
      path: ({ at }) => at,
      format: parquet({ schema, compression: 'none', ...options }),
      roll,
      monitor: new Monitor(),
    });
    const run = new SinkRun<Row>(sink.write(), 'kafka:chat/3');
    const send = (at: string, ...numbers: readonly number[]) => {
      for (const n of numbers) run.put({ n, at }, { offset: n }, run.acker, `${at}${n}`);
    };
    return { fs, run, send };
  }

  /** The rows of each row group of the visible files, by bucket. */
  async function groups(fs: MemoryFileSystem): Promise<Record<string, unknown>> {
    const files = Object.entries(fs.files()).filter(([path]) => !path.includes('_rxflume'));
    const read = await Promise.all(
      files.map(async ([path, bytes]) => {
        const { row_groups } = parquetMetadata(bufferOf(bytes));
        const rows = (await rowsOf(bytes)) as Row[];
        const counts = row_groups.map(({ num_rows }) => Number(num_rows));
        return [path.split('/')[2], [counts, rows.map(({ n }) => n)]];
      }),
    );
    return Object.fromEntries(read);
  }

  it('writes a row group when it has so many rows, releases its rows then, and acks them with the file', async () => {
    const { fs, run, send } = start({ rowGroup: { count: 2 } });
    inVirtualTime((at) => {
      send('a', 1, 2, 3);
      send('b', 4);
      at(1_000, () => {
        expect(run.acker.releases.sort()).toEqual(['a1', 'a2']);
        expect(run.acker.acks).toEqual([]);
        run.complete();
      });
    });
    expect(await groups(fs)).toEqual({
      a: [
        [2, 1],
        [1, 2, 3],
      ],
      b: [[1], [4]],
    });
    expect([...run.acker.acks].sort()).toEqual(['a1', 'a2', 'a3', 'b4']);
    expect(run.receipts.map(({ values, firstOffset, lastOffset }) => [values, firstOffset, lastOffset])).toEqual([
      [3, 1, 3],
      [1, 4, 4],
    ]);
  });

  it('nacks a value that does not fit alone, and keeps the rest of its file', async () => {
    const { fs, run, send } = start({});
    inVirtualTime((at) => {
      send('a', 1, 2.5, 3);
      at(1_000, () => run.complete());
    });
    expect(run.codes()).toEqual(['a2.5 RXF_SINK_FORMAT']);
    expect(await groups(fs)).toEqual({ a: [[2], [1, 3]] });
  });

  it('writes the largest row group where the open files together hold more than their budget', async () => {
    const { fs, run, send } = start({ maxBufferedBytes: 250 });
    inVirtualTime((at) => {
      send('a', 1, 2, 3, 4, 5);
      send('b', 10);
      expect(run.acker.releases).toEqual([]);
      for (let n = 0; run.acker.releases.length === 0 && n < 50; n += 1) send('c', 20 + n);
      expect(run.acker.releases).toEqual(expect.arrayContaining(['c20', 'c21']));
      expect(run.acker.releases.every((name) => name.startsWith('c'))).toBe(true);
      at(1_000, () => run.complete());
    });
    const { a, b, c } = (await groups(fs)) as Record<string, [number[], number[]]>;
    expect([a?.[0], b?.[0], c?.[0].length]).toEqual([[5], [1], 1]);
  });

  it('writes the larger half when the source needs room, and all of it in time', async () => {
    const { fs, run, send } = start({ rowGroup: { maxWaitMs: 5_000 } });
    inVirtualTime((at) => {
      send('a', 1, 2, 3, 4, 5, 6);
      send('b', 7);
      at(1_000, () => run.acker.flush$.next('release'));
      at(2_000, () => expect([...run.acker.releases].sort()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']));
      at(6_000, () => {
        expect(run.acker.releases).toHaveLength(7);
        run.complete();
      });
    });
    expect(await groups(fs)).toEqual({ a: [[6], [1, 2, 3, 4, 5, 6]], b: [[1], [7]] });
  });
});
