import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { avro } from '../../src/formats/avro.js';
import { AvroWriter } from '../../src/formats/avro-bytes.js';
import { compileAvro } from '../../src/formats/avro-compile.js';
import { avroReader } from '../../src/formats/avro-read.js';
import type { AvroSchema, AvroValue } from '../../src/formats/avro-schema.js';

function written(schema: AvroSchema, value: unknown): Buffer {
  const writer = new AvroWriter(64);
  const { type } = compileAvro(schema);
  expect(type.misfit(value)).toBeUndefined();
  type.write(value as never, writer);
  return writer.written;
}

interface Sample {
  readonly schema: AvroSchema;
  readonly value: unknown;
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = (size: number | undefined) =>
  fc
    .uint8Array(size === undefined ? { maxLength: 40 } : { minLength: size, maxLength: size })
    .map((one) => Buffer.from(one));

/** Longs up to what avsc represents; those beyond have a test of their own. */
const PRIMITIVES: readonly [string, fc.Arbitrary<unknown>][] = [
  ['null', fc.constant(null)],
  ['boolean', fc.boolean()],
  ['int', fc.integer()],
  ['long', fc.integer({ min: -(2 ** 52), max: 2 ** 52 })],
  ['float', fc.float()],
  ['double', fc.double()],
  ['bytes', bytes(undefined)],
  ['string', text],
];

/** A schema and a value of it; names are those of the counter. */
function sample(depth: number, names: { next: number }): fc.Arbitrary<Sample> {
  const primitive = fc
    .constantFrom(...PRIMITIVES)
    .chain(([schema, values]) => values.map((value) => ({ schema, value })));
  if (depth === 0) return primitive;
  const named = () => {
    names.next += 1;
    return `N${names.next}`;
  };
  const inner = () => sample(depth - 1, names);
  return fc.oneof(
    primitive,
    inner().chain(({ schema, value }) =>
      fc.integer({ min: 0, max: 3 }).map((count) => ({
        schema: { type: 'array', items: schema },
        value: Array.from({ length: count }, () => value),
      })),
    ),
    inner().chain(({ schema, value }) =>
      fc
        .uniqueArray(
          text.filter((name) => name !== '__proto__'),
          { maxLength: 3 },
        )
        .map((keys) => ({
          schema: { type: 'map', values: schema },
          value: Object.fromEntries(keys.map((key) => [key, value])),
        })),
    ),
    fc.array(inner(), { maxLength: 5 }).map((parts) => ({
      schema: {
        type: 'record',
        name: named(),
        fields: parts.map(({ schema }, at) => ({ name: `f${at}`, type: schema })),
      },
      value: Object.fromEntries(parts.map(({ value }, at) => [`f${at}`, value])),
    })),
    fc.constantFrom('A', 'B', 'C').map((value) => ({
      schema: { type: 'enum', name: named(), symbols: ['A', 'B', 'C'] },
      value,
    })),
    fc
      .integer({ min: 0, max: 20 })
      .chain((size) => bytes(size).map((value) => ({ schema: { type: 'fixed', name: named(), size }, value }))),
    fc.boolean().chain((isNull) =>
      fc.constantFrom<[string, unknown]>(['string', 'x'], ['long', 5], ['boolean', true]).map(([schema, value]) => ({
        schema: ['null', schema],
        value: isNull ? null : value,
      })),
    ),
  );
}

/** With NaN and -0 shown, and without the prototypes and branches of avsc. */
function shown(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shown(part)]));
}

describe('avroReader', () => {
  it('reads what avroFile writes and what avsc writes, and avsc reads what is written here', () => {
    fc.assert(
      fc.property(sample(3, { next: 0 }), ({ schema, value }) => {
        const ours = written(schema, value);
        expect(shown(avroReader(schema)(ours))).toEqual(shown(value));
        const type = avsc.Type.forSchema(schema as never, { wrapUnions: false });
        expect(shown(type.fromBuffer(ours))).toEqual(shown(value));
        expect(shown(avroReader(schema)(type.toBuffer(value)))).toEqual(shown(value));
      }),
      { numRuns: 150 },
    );
  });

  const record = (
    ...fields: { readonly name: string; readonly type: AvroSchema; readonly [more: string]: unknown }[]
  ) => ({ type: 'record', name: 'R', fields }) as const;
  const inRecord = (type: AvroSchema) => record({ name: 'a', type });
  const symbols = (name: string, of: string[], more: object = {}) => ({ type: 'enum', name, symbols: of, ...more });
  const decimal = (scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision: 9, scale });

  it.each<[string, AvroSchema, AvroSchema, unknown, unknown]>([
    ['int as long', 'int', 'long', 7, 7],
    ['int as float', 'int', 'float', 2 ** 24 + 1, 2 ** 24],
    ['int as double', 'int', 'double', 7, 7],
    ['long as float', 'long', 'float', 2n ** 62n, 2 ** 62],
    ['long as double', 'long', 'double', -(2n ** 60n), -(2 ** 60)],
    ['float as double', 'float', 'double', 1.5, 1.5],
    ['string as bytes', 'string', 'bytes', 'é', Buffer.from('é')],
    ['bytes as string', 'bytes', 'string', Buffer.from('é'), 'é'],
    ['int as one of a union', 'int', ['null', 'string', 'long'], 7, 7],
    ['one of a union as the type', ['null', 'int'], 'double', 7, 7],
    ['one of a union as one of another', ['string', 'int'], ['bytes', 'double'], 7, 7],
    ['the same type before one that it may be promoted to', 'int', ['double', 'int'], 7, 7],
    ['items', { type: 'array', items: 'int' }, { type: 'array', items: 'long' }, [1, 2], [1, 2]],
    ['values of a map', { type: 'map', values: 'int' }, { type: 'map', values: 'long' }, { a: 1 }, { a: 1 }],
    ['a symbol', symbols('E', ['A', 'B']), symbols('x.E', ['B', 'A']), 'B', 'B'],
    [
      'an unknown symbol as the default',
      symbols('E', ['A', 'C']),
      symbols('E', ['A', 'B'], { default: 'B' }),
      'C',
      'B',
    ],
    [
      'a fixed by its alias',
      { type: 'fixed', name: 'old.F', size: 2 },
      { type: 'fixed', name: 'G', size: 2, aliases: ['old.F'] },
      Buffer.from('ab'),
      Buffer.from('ab'),
    ],
    [
      'fields in another order, renamed, left out, and by default',
      record(
        { name: 'a', type: 'int' },
        { name: 'b', type: 'string' },
        { name: 'c', type: { type: 'array', items: 'int' } },
      ),
      record(
        { name: 'd', type: { type: 'array', items: 'bytes' }, default: ['\u00ff'] },
        { name: 'bb', aliases: ['b'], type: 'string' },
        { name: 'a', type: 'long' },
        { name: 'n', type: ['null', 'int'], default: null },
        { name: 'm', type: { type: 'map', values: 'long' }, default: { x: 1 } },
      ),
      { a: 1, b: 'x', c: [1, 2] },
      { d: [Buffer.from([255])], bb: 'x', a: 1, n: null, m: { x: 1 } },
    ],
    [
      'a default that is a record with a default of its own',
      record(),
      record({
        name: 'a',
        type: {
          type: 'record',
          name: 'Z',
          fields: [{ name: 'z', type: { type: 'int', logicalType: 'date' }, default: 1 }],
        },
        default: {},
      }),
      {},
      { a: { z: new Date('1970-01-02') } },
    ],
    ['the reader’s logical type', 'long', { type: 'long', logicalType: 'timestamp-millis' }, 5, new Date(5)],
    ['below the writer’s logical type', { type: 'long', logicalType: 'timestamp-millis' }, 'long', new Date(5), 5],
    ['an int as a time', 'int', { type: 'long', logicalType: 'timestamp-micros' }, 5, 5],
    ['a decimal of another precision', decimal(2), { ...decimal(2), precision: 12 }, '-0.5', '-0.50'],
  ])('resolves %s', (_, schema, readerSchema, value, expected) => {
    const bytes = written(schema, value);
    const read = avroReader(schema, readerSchema);
    expect(read(bytes)).toEqual(expected);
    if (typeof expected === 'object')
      expect(Object.keys(read(bytes) as object)).toEqual(Object.keys(expected as object));
  });

  it('gives each value defaults of its own', () => {
    const list = { type: 'array', items: 'int' };
    const read = avroReader(record(), record({ name: 'a', type: list, default: [1] }));
    const [one, other] = [read(Buffer.alloc(0)), read(Buffer.alloc(0))] as { a: number[] }[];
    one?.a.push(2);
    expect(other).toEqual({ a: [1] });
  });

  it.each<[string, AvroSchema, AvroSchema, string]>([
    ['another type', inRecord('string'), inRecord('int'), '`$.a`: string was written, and is not read as int'],
    ['a narrower type', 'long', 'int', '`$`: long was written'],
    [
      'another name',
      record(),
      { type: 'record', name: 'S', fields: [] },
      'the record R was written, and is not read as the record S',
    ],
    ['a field without default', record(), inRecord('int'), '`$.a`: it was not written, and has no `default`'],
    [
      'another size',
      { type: 'fixed', name: 'F', size: 2 },
      { type: 'fixed', name: 'F', size: 3 },
      'the fixed F was written',
    ],
    ['no branch', ['null', 'int'], 'string', 'null was written'],
    ['items', { type: 'array', items: 'string' }, { type: 'array', items: 'int' }, '`$[]`'],
    [
      'values',
      { type: 'map', values: 'string' },
      { type: 'map', values: ['null', 'int'] },
      ': string was written, and is not read as a union of null, int',
    ],
    ['another scale', decimal(2), decimal(3), 'bytes (decimal) was written'],
    [
      'milliseconds as microseconds',
      { type: 'long', logicalType: 'timestamp-millis' },
      { type: 'long', logicalType: 'timestamp-micros' },
      'long (timestamp-millis) was written',
    ],
    [
      'a default of no value',
      record(),
      record({ name: 'a', type: { type: 'string', logicalType: 'uuid' }, default: 'x' }),
      'its `default` is no value of its logical type',
    ],
  ])('rejects a schema that can never be resolved: %s', (_, schema, readerSchema, message) => {
    const call = () => avroReader(schema, readerSchema);
    expect(call).toThrow(OptionError);
    expect(call).toThrow('Expected `readerSchema` to read what `schema` writes, got another type of ');
    expect(call).toThrow(message);
  });

  it('does not check what only a writer needs, nor a logical type that does not fit, of a schema of others', () => {
    const schema = record(
      { name: 'my-field', type: { type: 'string', logicalType: 'date' }, default: 5 },
      { name: 'e', type: { type: 'enum', name: 'E', symbols: ['a-b'], default: 'c' } },
    );
    expect(avroReader(schema)(Buffer.from([2, 0x78, 0]))).toEqual({ 'my-field': 'x', e: 'a-b' });
    expect(() => avroReader('int', schema)).toThrow('Expected `readerSchema.fields[0].name` to be a name of Avro');
  });

  const NODE = record({ name: 'next', type: ['null', 'R'] });
  const SHAPE = 'RXF_DECODE_SHAPE';
  const tooDeep = Buffer.alloc(501, 2);
  it.each<[string, AvroSchema, AvroSchema | undefined, Buffer, string, number, string, string?]>([
    ['nothing', 'int', undefined, Buffer.alloc(0), '$', 0, 'the bytes end too early'],
    ['a number that ends', 'long', undefined, Buffer.from([0x80, 0x80]), '$', 2, 'the bytes end too early'],
    ['a number without end', 'long', undefined, Buffer.alloc(200, 0x80), '$', 10, 'more than 64 bits'],
    [
      'a number of 65 bits',
      'long',
      undefined,
      Buffer.from('ffffffffffffffffff02', 'hex'),
      '$',
      10,
      'more than 64 bits',
    ],
    [
      'an int of 33 bits',
      inRecord('int'),
      undefined,
      Buffer.from('8080808020', 'hex'),
      '$.a',
      0,
      '4294967296 is no number of 32 bits',
    ],
    ['a length below zero', 'string', undefined, Buffer.from([3, 65]), '$', 1, '-2 bytes are declared, 1 are left'],
    [
      'a length beyond the end',
      'bytes',
      undefined,
      Buffer.from('feffffff0f00', 'hex'),
      '$',
      5,
      '2147483647 bytes are declared, 1 are left',
    ],
    [
      'a length of 63 bits',
      'bytes',
      undefined,
      Buffer.from('feffffffffffffffff01', 'hex'),
      '$',
      0,
      'a number is too large',
    ],
    ['a float that ends', 'float', undefined, Buffer.alloc(3), '$', 0, '4 bytes are declared, 3 are left'],
    ['no boolean', 'boolean', undefined, Buffer.from([2]), '$', 0, '2 is neither true nor false'],
    [
      'no UTF-8',
      { type: 'array', items: 'string' },
      undefined,
      Buffer.from('04026102ff00', 'hex'),
      '$[1]',
      4,
      'a text is not UTF-8',
    ],
    ['no branch', ['null', 'int'], undefined, Buffer.from([4]), '$', 0, 'the union has no branch 2'],
    ['no branch below zero', ['null', 'int'], undefined, Buffer.from([1]), '$', 0, 'the union has no branch -1'],
    ['no symbol', symbols('E', ['A']), undefined, Buffer.from([2]), '$', 0, 'the enum has no symbol 1'],
    ['what is left', 'int', undefined, Buffer.from([2, 0, 0]), '$', 1, '2 bytes are left behind the value'],
    [
      'a huge count',
      { type: 'array', items: 'int' },
      undefined,
      Buffer.from('feffffff0f00', 'hex'),
      '$[0]',
      0,
      '2147483647 items are declared, 1 bytes are left',
    ],
    [
      'a huge count of a map',
      { type: 'map', values: 'null' },
      undefined,
      Buffer.from('feffffff0f00', 'hex'),
      '$',
      0,
      '2147483647 items are declared',
    ],
    [
      'a huge count below zero',
      { type: 'array', items: 'int' },
      undefined,
      Buffer.from('ffffffff0f0200', 'hex'),
      '$[0]',
      0,
      '2147483648 items are declared',
    ],
    [
      'countless nulls',
      { type: 'array', items: 'null' },
      undefined,
      Buffer.from('feffffff0f00', 'hex'),
      '$[0]',
      5,
      'more than 65536 parts without bytes',
    ],
    [
      'too deep',
      NODE,
      undefined,
      tooDeep,
      `$${'.next'.repeat(40).slice(0, 199)}…`,
      500,
      'more than 500 records are within each other',
    ],
    [
      'a key of a map',
      { type: 'map', values: 'boolean' },
      undefined,
      Buffer.from('02086161', 'hex'),
      '$',
      2,
      '4 bytes',
    ],
    [
      'a value of a map',
      { type: 'map', values: 'boolean' },
      undefined,
      Buffer.from('0206612062020000', 'hex'),
      '$["a b"]',
      5,
      '2 is neither',
    ],
    ['skipped bytes', inRecord('string'), record(), Buffer.from([6, 65]), '$.a', 1, '3 bytes are declared, 1 are left'],
    [
      'skipped nulls',
      inRecord({ type: 'array', items: 'null' }),
      record(),
      Buffer.from('feffffff0f00', 'hex'),
      '$.a',
      5,
      'more than 65536 parts without bytes',
    ],
    ['a skipped branch', inRecord(['null']), record(), Buffer.from([2]), '$.a', 0, 'the union has no such branch'],
    [
      'an unread branch',
      ['null', 'int'],
      'int',
      Buffer.from([0]),
      '$',
      1,
      '`readerSchema` has no type that reads null',
      SHAPE,
    ],
    [
      'an unread symbol',
      symbols('E', ['A', 'B']),
      symbols('E', ['A']),
      Buffer.from([2]),
      '$',
      0,
      'has neither symbol 1 of the enum',
      SHAPE,
    ],
    [
      'a time of no Date',
      inRecord({ type: 'long', logicalType: 'timestamp-millis' }),
      undefined,
      Buffer.from('feffffffffffffffff01', 'hex'),
      '$.a',
      0,
      'a time that a Date can hold',
      SHAPE,
    ],
    [
      'no UUID',
      { type: 'string', logicalType: 'uuid' },
      undefined,
      Buffer.from([2, 65]),
      '$',
      0,
      'expected a UUID',
      SHAPE,
    ],
    [
      'too many digits',
      { ...decimal(0), precision: 2 },
      undefined,
      Buffer.from([2, 100]),
      '$',
      0,
      'a decimal of at most 2 digits',
      SHAPE,
    ],
    ['no digits', decimal(0), undefined, Buffer.from([0]), '$', 0, 'a decimal of', SHAPE],
  ])(
    'rejects %s, with the path and the offset',
    (_, schema, readerSchema, bytes, path, offset, message, code = 'RXF_DECODE_SYNTAX') => {
      const call = () => avroReader(schema, readerSchema)(bytes);
      expect(call).toThrow(DecodeError);
      expect(call).toThrow(expect.objectContaining({ code, details: { path, offset } }));
      expect(call).toThrow(`Cannot read \`${path}\` as Avro: `);
      expect(call).toThrow(message);
      expect(call).toThrow(`, at byte ${offset}. `);
    },
  );

  it('counts records without bytes, of which a schema of a few lines may have any number', () => {
    let [type, last]: AvroSchema[] = [{ type: 'record', name: 'R0', fields: [] }, 'R0'] as never;
    const types: AvroSchema[] = [];
    for (let at = 1; at < 60; at += 1) {
      type = {
        type: 'record',
        name: `R${at}`,
        fields: [
          { name: 'a', type: type as AvroSchema },
          { name: 'b', type: last as AvroSchema },
        ],
      };
      last = `R${at}`;
      types.push(type);
    }
    for (const reader of [undefined, record()]) {
      const schema = inRecord(types[58] as AvroSchema);
      expect(() => avroReader(schema, reader)(Buffer.alloc(0))).toThrow(
        'more than 65536 parts without bytes are declared',
      );
    }
  });

  it('gives what avroFile takes, of logical types too, in types that follow from the schema', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'day', type: { type: 'int', logicalType: 'date' } },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'exact', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 } },
        { name: 'rate', type: { type: 'fixed', name: 'D', size: 4, logicalType: 'decimal', precision: 5, scale: 4 } },
        { name: 'id', type: { type: 'string', logicalType: 'uuid' } },
        { name: 'raw', type: { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' } },
        { name: 'note', type: ['null', 'string'] },
      ],
    } as const;
    const value = {
      day: new Date('1969-12-31'),
      at: new Date(-1),
      exact: 1_700_000_000_000_001,
      price: '-0.05',
      rate: '1.0000',
      id: '123E4567-e89b-12d3-a456-426614174000',
      raw: '123e4567-e89b-12d3-a456-426614174000',
      note: null,
    };
    const read = avro({ schema })(written(schema, value));
    const [day, exact, note]: [Date, number | bigint, string | null] = [read.day, read.exact, read.note];
    expect([day, exact, note]).toEqual([value.day, value.exact, value.note]);
    expect(read).toEqual(value);
    const again: AvroValue<typeof schema> = read;
    expect(again).toBe(read);
    // @ts-expect-error a price is a text
    expect(read.price * 1).toBe(-0.05);
  });

  it('rejects a tombstone; a value of no bytes is one', () => {
    expect(() => avro({ schema: 'int' })(null)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
    expect(avro({ schema: 'null' })(new Uint8Array())).toBe(null);
  });

  it('reads numbers of 64 bits exactly, and does not set the prototype', () => {
    const edges = [0n, 1n, -1n, 2n ** 31n, 2n ** 48n, -(2n ** 48n), 2n ** 52n, 2n ** 53n - 1n, 1n - 2n ** 53n];
    for (const value of edges) expect(avroReader('long')(written('long', value))).toBe(Number(value));
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(avroReader('long')(written('long', value))).toBe(value);
    }
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (value) => BigInt(avroReader('long')(written('long', value)) as number) === value,
      ),
    );
    const map = avroReader({ type: 'map', values: 'int' })(
      Buffer.from(`0212${Buffer.from('__proto__').toString('hex')}0200`, 'hex'),
    );
    expect([Object.keys(map as object), Object.getPrototypeOf(map)]).toEqual([['__proto__'], Object.prototype]);
    const own = avroReader(record({ name: '__proto__', type: { type: 'array', items: 'int' } }))(Buffer.from([0]));
    expect([Object.keys(own as object), Object.getPrototypeOf(own)]).toEqual([['__proto__'], Object.prototype]);
  });

  it('reads blocks with their sizes, and passes over what is not read', () => {
    const rest: AvroSchema[] = [
      'null',
      'boolean',
      'int',
      'float',
      'double',
      'bytes',
      { type: 'fixed', name: 'F', size: 2 },
    ];
    const values = [null, true, 1, 1, 1, Buffer.from('a'), Buffer.from('ab')];
    const schema = record(
      ...rest.map((type, at) => ({ name: `f${at}`, type })),
      { name: 'm', type: { type: 'map', values: ['null', symbols('E', ['A']), 'string'] } },
      { name: 'r', type: { type: 'record', name: 'S', fields: [{ name: 's', type: 'string' }] } },
      { name: 'last', type: 'int' },
    );
    const value = {
      ...Object.fromEntries(values.map((one, at) => [`f${at}`, one])),
      m: { a: null, b: 'A', c: 'x' },
      r: { s: 'x' },
      last: 7,
    };
    expect(avroReader(schema, record({ name: 'last', type: 'int' }))(written(schema, value))).toEqual({ last: 7 });
    expect(avroReader({ type: 'array', items: 'int' })(Buffer.from([3, 4, 2, 4, 2, 6, 0]))).toEqual([1, 2, 3]);
  });
});
