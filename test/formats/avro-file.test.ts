import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { decompress } from 'fzstd';
import { uncompress } from 'snappyjs';
import { OptionError, SinkError } from '../../src/core/errors.js';
import { AvroReader } from '../../src/formats/avro-bytes.js';
import type { AvroCodec } from '../../src/formats/avro-container.js';
import { avroFile } from '../../src/formats/avro-file.js';
import type { AvroSchema } from '../../src/formats/avro-schema.js';

type Codecs = Record<string, (bytes: Buffer, done: (error: null, plain: Buffer) => void) => void>;

/** What its decoder is told beside what it knows: these checksums are checked here. */
const CODECS: Codecs = {
  snappy: (bytes, done) => {
    const plain = uncompress(bytes.subarray(0, -4));
    expect(bytes.readUInt32BE(bytes.length - 4)).toBe(zlib.crc32(plain));
    done(null, plain);
  },
  zstandard: (bytes, done) => done(null, Buffer.from(decompress(bytes))),
};

/** A file by a library that has nothing of ours. */
function read(file: Buffer): Promise<unknown[]> {
  const decoder = new avsc.streams.BlockDecoder({
    codecs: { ...avsc.streams.BlockDecoder.defaultCodecs(), ...CODECS },
  } as never);
  const values: unknown[] = [];
  return new Promise((resolve, reject) => {
    decoder.on('data', (value: unknown) => values.push(value));
    decoder.on('end', () => resolve(values));
    decoder.on('error', reject);
    decoder.end(file);
  });
}

function fileOf(schema: AvroSchema, values: readonly unknown[], codec: AvroCodec = 'null', perBlock = 2): Buffer {
  const encoder = avroFile({ schema, codec }).encoder();
  const blocks = values.map((value, at) => {
    encoder.add(value);
    return at % perBlock === perBlock - 1 ? encoder.take() : new Uint8Array();
  });
  return Buffer.concat([...blocks, encoder.take()]);
}

/** The bytes of one value, without codec. */
function bytesOf(schema: AvroSchema, value: unknown): string {
  const file = fileOf(schema, [value]);
  const sync = file.subarray(-16);
  const block = new AvroReader(file.subarray(file.indexOf(sync) + 16));
  expect(block.long()).toBe(1);
  return block.bytes().toString('hex');
}

const MESSAGE = {
  type: 'record',
  name: 'Message',
  namespace: 'chat',
  fields: [
    { name: 'id', type: 'long', 'field-id': 1 },
    { name: 'n', type: 'int' },
    { name: 'share', type: 'double' },
    { name: 'weight', type: 'float' },
    { name: 'ok', type: 'boolean' },
    { name: 'text', type: ['null', 'string'], default: null },
    { name: 'body', type: 'bytes' },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['ASK', 'REPLY'] }, default: 'ASK' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 }, default: '\u0000\u00ff\u0001' },
    { name: 'reply', type: ['null', 'Message'], default: null },
    { name: 'other', type: ['string', 'chat.Kind', { type: 'array', items: 'double' }, 'int'] },
  ],
} as const;

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
/** avsc assigns the key "__proto__" of a map, which sets the prototype of what it reads. */
const key = text.filter((name) => name !== '__proto__');
const message = fc.letrec<{ message: Record<string, unknown> }>((tie) => ({
  message: fc.record({
    id: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    n: fc.integer(),
    share: fc.double(),
    weight: fc.float(),
    ok: fc.boolean(),
    text: fc.option(text),
    body: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    tags: fc.array(text, { maxLength: 4 }),
    counts: fc.dictionary(
      key,
      fc.maxSafeInteger().map((one) => Math.trunc(one / 4) + 0),
      { maxKeys: 3 },
    ),
    kind: fc.constantFrom('ASK', 'REPLY'),
    hash: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    reply: fc.option(tie('message'), { maxDepth: 2, depthSize: 'small' }),
    other: fc.oneof(text, fc.array(fc.double(), { maxLength: 3 }), fc.integer()),
  }),
})).message;

describe('avroFile', () => {
  const codecs: AvroCodec[] = ['null', 'deflate', 'snappy', ...('zstdCompressSync' in zlib ? ['zstd' as const] : [])];
  it.each(codecs)('is read by another library as what was written, whatever the values: codec %s', async (codec) => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (values) => {
        const seen = await read(fileOf(MESSAGE, values, codec));
        // Its objects have other prototypes, and a union of its is the value of the branch.
        expect(JSON.stringify(seen.map(unwrapped))).toBe(JSON.stringify(values.map(unwrapped)));
      }),
      { numRuns: 60 },
    );
  });

  it('each file is whole, with the whole schema and a sync marker of its own; without values it is nothing', async () => {
    const format = avroFile({ schema: MESSAGE });
    const [one, other] = [format.encoder(), format.encoder()];
    expect(one.take().length).toBe(0);
    const [value] = fc.sample(message, { numRuns: 1, seed: 1 }) as [never];
    const files = [one, other].map((encoder) => {
      encoder.add(value);
      return Buffer.from(encoder.take());
    });
    expect(files[0]?.includes(JSON.stringify(MESSAGE))).toBe(true);
    expect(files[0]?.subarray(-16).equals(files[1]?.subarray(-16) as Buffer)).toBe(false);
    expect([format.extension, format.compression.name]).toEqual(['avro', 'none']);
    expect(await Promise.all(files.map((file) => read(file).then(({ length }) => length)))).toEqual([1, 1]);
  });

  it('writes longs of 64 bits exactly', () => {
    const zigzag = (value: bigint) => {
      let [rest, hex] = [BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)), ''];
      for (; rest > 0x7fn; rest >>= 7n) hex += ((rest & 0x7fn) | 0x80n).toString(16).padStart(2, '0');
      return hex + rest.toString(16).padStart(2, '0');
    };
    const edges = [0n, -1n, 1n, 2n ** 52n, -(2n ** 52n), 2n ** 53n - 1n, 1n - 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (const value of edges) {
      expect(bytesOf('long', value)).toBe(zigzag(value));
      if (Number.isSafeInteger(Number(value))) expect(bytesOf('long', Number(value))).toBe(zigzag(value));
    }
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => bytesOf('long', value) === zigzag(BigInt(value))));
  });

  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 };
  it.each<[string, AvroSchema, unknown, string]>([
    ['a date', { type: 'int', logicalType: 'date' }, new Date('1970-01-03'), '04'],
    ['a date before 1970', { type: 'int', logicalType: 'date' }, new Date('1969-12-31'), '01'],
    ['days', { type: 'int', logicalType: 'date' }, 3, '06'],
    ['milliseconds', { type: 'long', logicalType: 'timestamp-millis' }, new Date(64), '8001'],
    ['microseconds', { type: 'long', logicalType: 'timestamp-micros' }, new Date(1), 'd00f'],
    [
      'the last microseconds',
      { type: 'long', logicalType: 'timestamp-micros' },
      new Date(8.64e15),
      '808080b6a58eb9e7ef01',
    ],
    ['given microseconds', { type: 'long', logicalType: 'timestamp-micros' }, 5n, '0a'],
    ['a decimal', decimal, '1.5', '040096'],
    ['a decimal below zero', decimal, '-1.28', '0280'],
    ['a decimal with zeros behind', decimal, '-0.0100', '02ff'],
    ['a whole decimal', decimal, 12n, '0404b0'],
    ['a decimal of a fixed size', { ...decimal, type: 'fixed', name: 'D', size: 4 }, '-1.28', 'ffffff80'],
    ['a UUID', { type: 'string', logicalType: 'uuid' }, '123e4567-e89b-12d3-a456-426614174000', '48313233'],
    [
      'a UUID in bytes',
      { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
      '123e4567-e89b-12d3-a456-426614174000',
      '123e4567e89b12d3a456426614174000',
    ],
    ['an unknown logical type', { type: 'long', logicalType: 'epoch' }, 1, '02'],
    ['a Map', { type: 'map', values: 'int' }, new Map([['a', 1]]), '02026102' + '00'],
    ['a float', 'float', 0.1, 'cdcccc3d'],
    ['the first branch that loses nothing', ['float', 'double'], 0.1, '029a9999999999b93f'],
    [
      'a whole record before another',
      [
        { type: 'record', name: 'A', fields: [] },
        { type: 'record', name: 'B', fields: [{ name: 'b', type: 'int' }] },
      ],
      { b: 1 },
      '0202',
    ],
    [
      'an absent field that may be null',
      { type: 'record', name: 'A', fields: [{ name: 'a', type: ['int', 'null'] }] },
      {},
      '02',
    ],
  ])('writes %s', (_, schema, value, hex) => {
    expect(bytesOf(schema, value).slice(0, hex.length)).toBe(hex);
  });

  it.each<[string, AvroSchema, unknown, string, string]>([
    ['a fraction', 'int', 1.5, '$', 'expected a whole number of 32 bits, got 1.5 (number)'],
    ['33 bits', 'int', 2 ** 31, '$', 'a whole number of 32 bits'],
    ['an unsafe number', 'long', 2 ** 53, '$', 'a BigInt of 64 bits'],
    ['65 bits', 'long', 2n ** 63n, '$', 'a BigInt of 64 bits'],
    ['too large a float', 'float', 1e300, '$', 'that a float of 32 bits holds'],
    ['a BigInt', 'double', 1n, '$', 'expected a number'],
    ['half a pair', 'string', '\ud800', '$', 'without unpaired surrogates'],
    ['text for bytes', 'bytes', 'a', '$', 'expected bytes'],
    ['null', 'string', null, '$', 'got null (null)'],
    ['too few bytes', { type: 'fixed', name: 'F', size: 2 }, Buffer.alloc(1), '$', 'expected 2 bytes'],
    ['another symbol', { type: 'enum', name: 'E', symbols: ['A'] }, 'B', '$', 'one of the 1 symbols of E'],
    ['an item', { type: 'array', items: 'int' }, [1, 'x'], '$[1]', 'got "x" (string)'],
    ['no list', { type: 'array', items: 'int' }, { length: 0 }, '$', 'expected a list'],
    ['a part of a map', { type: 'map', values: 'int' }, { 'a b': 'x' }, '$["a b"]', 'expected a whole number'],
    ['a name of a map', { type: 'map', values: 'int' }, { '\ud800': 1 }, '$', 'names that are strings'],
    ['a list for a map', { type: 'map', values: 'int' }, [1], '$', 'an object or a Map'],
    ['a Map for a record', { type: 'record', name: 'A', fields: [] }, new Map(), '$', 'the fields of A'],
    ['what no branch holds', ['null', 'int', 'string'], true, '$', 'expected a value of null, int, string, got true'],
    ['a time within a day', { type: 'int', logicalType: 'date' }, new Date(1), '$', 'midnight in UTC'],
    [
      'an invalid time',
      { type: 'long', logicalType: 'timestamp-millis' },
      new Date(Number.NaN),
      '$',
      'expected a Date',
    ],
    ['too many digits', decimal, '1000.00', '$', 'at most 5 digits, 2 of them behind the point'],
    ['a fraction of a cent', decimal, '1.005', '$', 'behind the point'],
    ['a number for a decimal', decimal, 1.5, '$', 'a text such as'],
    ['no UUID', { type: 'string', logicalType: 'uuid' }, 'x', '$', 'expected a UUID'],
  ])('rejects %s with its path, and adds nothing', async (_, schema, value, path, message) => {
    const outer = {
      type: 'record',
      name: 'Outer',
      fields: [
        { name: 'before', type: 'string' },
        { name: 'it', type: schema },
      ],
    } as const;
    const encoder = avroFile({ schema: outer }).encoder() as { add(value: unknown): number; take(): Uint8Array };
    const call = () => encoder.add({ before: 'x', it: value });
    const where = `$.it${path.slice(1)}`;
    expect(call).toThrow(SinkError);
    expect(call).toThrow(
      expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false, details: { path: where } }),
    );
    expect(call).toThrow(`Cannot write \`${where}\` as Avro: `);
    expect(call).toThrow(message);
    expect(encoder.take().length).toBe(0);
  });

  it('rejects a value that holds itself, and one that throws, and goes on', async () => {
    const schema = {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'text', type: 'string' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    } as const;
    const encoder = avroFile({ schema }).encoder();
    const cycle: { text: string; next?: unknown } = { text: 'x' };
    cycle.next = cycle;
    expect(() => encoder.add(cycle)).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
    let asked = 0;
    const late = {
      text: 'y',
      get next(): null {
        asked += 1;
        if (asked === 2) throw new Error('not twice');
        return null;
      },
    };
    expect(() => encoder.add(late)).toThrow('Cannot write a value as Avro: not twice.');
    encoder.add({ text: 'z', next: null });
    expect(JSON.stringify(await read(Buffer.from(encoder.take())))).toBe('[{"text":"z","next":null}]');
  });

  const record = (...fields: unknown[]) => ({ type: 'record', name: 'R', fields });
  it.each<[unknown, string]>([
    [
      'strin',
      'Expected `schema` to be a primitive type, or the name of a type that is defined before it, got `"strin"`.',
    ],
    [undefined, 'Expected `schema` to be a schema that JSON can hold'],
    [{ type: 'array' }, 'Expected `schema.items` to be a schema'],
    [[], 'a union of at least one type'],
    [['int', ['null']], 'Expected `schema[1]` to be no union within a union'],
    [['int', 'int'], 'Expected `schema[1]` to be the only int of its union'],
    [{ type: 'record', name: '1R', fields: [] }, 'Expected `schema.name` to be a name of Avro, got `"1R"`'],
    [{ type: 'record', name: 'string', fields: [] }, 'another name than that of a primitive type'],
    [{ type: 'record', name: 'R' }, 'Expected `schema.fields` to be a list of fields'],
    [record({ name: 'a-b', type: 'int' }), 'Expected `schema.fields[0].name` to be a name of Avro'],
    [
      record({ name: 'a', type: 'int' }, { name: 'a', type: 'int' }),
      'Expected `schema.fields[1].name` to be a name that no other',
    ],
    [record({ name: 'a' }), 'Expected `schema.fields[0].type` to be a schema'],
    [
      record({ name: 'a', type: record() }),
      'Expected `schema.fields[0].type.name` to be a name that no other type has',
    ],
    [
      record({ name: 'a', type: ['string', 'null'], default: null }),
      'Expected `schema.fields[0].default` to be a value of the type',
    ],
    [record({ name: 'a', type: 'int', default: '1' }), 'Expected `schema.fields[0].default`'],
    [record({ name: 'a', type: { type: 'fixed', name: 'F', size: 2 }, default: 'x' }), 'schema.fields[0].default'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'a list of names, each of them once'],
    [{ type: 'enum', name: 'E', symbols: ['A'], default: 'B' }, 'one of the symbols'],
    [{ type: 'fixed', name: 'F', size: 1.5 }, 'Expected `schema.size` to be a whole number'],
    [{ type: 'int', logicalType: 'timestamp-millis' }, 'a `timestamp-millis` to be of type long'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 0 }, 'a precision from 1 to 1000'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 }, 'a scale from 0 to its precision'],
    [{ type: 'fixed', name: 'F', size: 1, logicalType: 'decimal', precision: 3 }, 'a precision that 1 bytes hold'],
  ])('checks the schema at the call: %j', (schema, message) => {
    const call = () => avroFile({ schema: schema as never });
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });

  it('checks its codec at the call', () => {
    expect(() => avroFile({ schema: 'int', codec: 'bzip2' as never })).toThrow("Expected `codec` to be one of 'null'");
    if (!('zstdCompressSync' in zlib)) {
      expect(() => avroFile({ schema: 'int', codec: 'zstd' })).toThrow('Use Node 22.15 or later');
    }
  });

  it('knows the values’ types from a literal schema', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'kind', type: { type: 'enum', name: 'K', symbols: ['A', 'B'] } },
        { name: 'tags', type: ['null', { type: 'array', items: 'string' }] },
      ],
    } as const;
    const encoder = avroFile({ schema }).encoder();
    encoder.add({ id: 1n, at: new Date(0), kind: 'A' });
    encoder.add({ id: 1, at: 5, kind: 'B', tags: ['x'] });
    // @ts-expect-error a field is missing
    expect(() => encoder.add({ id: 1, at: 5 })).toThrow(SinkError);
    // @ts-expect-error no such symbol
    expect(() => encoder.add({ id: 1, at: 5, kind: 'C' })).toThrow(SinkError);
    // @ts-expect-error the items are texts
    expect(() => encoder.add({ id: 1, at: 5, kind: 'A', tags: [1] })).toThrow(SinkError);
  });
});

/** A value without the names of branches and prototypes that the other library gives, and with NaN and -0 shown. */
function unwrapped(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== 'object' || value === null) return value;
  if (value.constructor?.name.startsWith('Branch')) return unwrapped(Object.values(value)[0]);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, unwrapped(part)]));
}
