import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uncompress } from 'snappyjs';
import { SinkError } from '../../src/core/errors.js';
import type { SequenceField } from '../../src/formats/sequence-field.js';
import { type SequenceFileOptions, sequenceFile } from '../../src/formats/sequence-file.js';
import { WritableBytes } from '../../src/formats/writable-bytes.js';

interface Row {
  readonly at: number | bigint;
  readonly text: string;
}

const KEY = { writable: 'LongWritable' as const, of: ({ at }: Row) => at };
const VALUE = { writable: 'Text' as const, of: ({ text }: Row) => text };
const WAYS: readonly Partial<SequenceFileOptions<Row>>[] = [
  {},
  ...(['record', 'block'] as const).flatMap((compression) =>
    (['deflate', 'gzip', 'snappy'] as const).map((codec) => ({ compression, codec })),
  ),
];

/** A file by Hadoop's rules, read from its start. */
class Reader {
  at = 0;
  readonly file: Buffer;

  constructor(file: Buffer) {
    this.file = file;
  }

  take(length: number): Buffer {
    if (length < 0 || this.at + length > this.file.length) throw new Error(`${length} bytes are not left`);
    this.at += length;
    return this.file.subarray(this.at - length, this.at);
  }
  int32 = () => this.take(4).readInt32BE();
  vint(): number {
    const first = this.take(1).readInt8();
    return first >= -112 ? first : this.take(-112 - first).readUIntBE(0, -112 - first);
  }
  text = () => this.take(this.vint()).toString();
}

const INFLATE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'org.apache.hadoop.io.compress.DefaultCodec': (bytes) => zlib.inflateSync(bytes),
  'org.apache.hadoop.io.compress.GzipCodec': (bytes) => zlib.gunzipSync(bytes),
  'org.apache.hadoop.io.compress.SnappyCodec': (bytes) => (bytes.length === 0 ? bytes : uncompress(bytes.subarray(8))),
};

function read(file: Buffer): { rows: Row[]; sync: string; syncs: number; blocks: number } {
  const reader = new Reader(file);
  expect(reader.take(4).toString('latin1')).toBe('SEQ\u0006');
  expect([reader.text(), reader.text()]).toEqual(['org.apache.hadoop.io.LongWritable', 'org.apache.hadoop.io.Text']);
  const [isCompressed, isBlock] = reader.take(2);
  const inflate = isCompressed === 1 ? INFLATE[reader.text()] : (bytes: Buffer) => bytes;
  if (inflate === undefined) throw new Error('another codec');
  expect(reader.int32()).toBe(0);
  const sync = reader.take(16).toString('hex');
  const rows: Row[] = [];
  let [syncs, blocks] = [0, 0];
  const row = (key: Buffer, value: Buffer) => {
    rows.push({ at: key.readBigInt64BE(), text: new Reader(value).text() });
  };
  while (reader.at < file.length) {
    const length = reader.int32();
    if (length === -1) {
      expect(reader.take(16).toString('hex')).toBe(sync);
      syncs += 1;
      if (isBlock === 0) continue;
      blocks += 1;
      const count = reader.vint();
      const [keyLengths, keys, valueLengths, values] = Array.from(
        { length: 4 },
        () => new Reader(inflate(reader.take(reader.vint()))),
      ) as [Reader, Reader, Reader, Reader];
      for (let at = 0; at < count; at += 1) row(keys.take(keyLengths.vint()), values.take(valueLengths.vint()));
      expect([keys.at, values.at]).toEqual([keys.file.length, values.file.length]);
    } else {
      const keyLength = reader.int32();
      row(reader.take(keyLength), inflate(reader.take(length - keyLength)));
    }
  }
  return { rows, sync, syncs, blocks };
}

describe('sequenceFile', () => {
  it.each(WAYS)('is read back, whatever the chunks: %j', (way) => {
    const rows = fc.array(
      fc.record({
        at: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        text: fc.string({ unit: 'grapheme', maxLength: 300 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 2_000 }), (all, limit) => {
        const encoder = sequenceFile<Row>({ key: KEY, value: VALUE, ...way }).encoder();
        const chunks = all.map((row) => (encoder.add(row) < limit ? new Uint8Array() : encoder.take()));
        expect(read(Buffer.concat([...chunks, encoder.take()])).rows).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  it.each(WAYS)('each file is whole, with a sync marker of its own; without values it is nothing: %j', (way) => {
    const format = sequenceFile<Row>({ key: KEY, value: VALUE, ...way });
    const [one, other] = [format.encoder(), format.encoder()];
    expect(one.take().length).toBe(0);
    for (const encoder of [one, other]) encoder.add({ at: 1, text: 'x' });
    const files = [one, other].map((encoder) => read(Buffer.from(encoder.take())));
    expect(files.map(({ rows }) => rows)).toEqual([[{ at: 1n, text: 'x' }], [{ at: 1n, text: 'x' }]]);
    expect(files[0]?.sync).not.toBe(files[1]?.sync);
    expect(one.take().length).toBe(0);
  });

  it('marks the file every 100 KiB, or before each block', () => {
    const text = 'x'.repeat(10_000);
    const fileOf = (way: Partial<SequenceFileOptions<Row>>) => {
      const encoder = sequenceFile<Row>({ key: KEY, value: VALUE, ...way }).encoder();
      const chunks = Array.from({ length: 40 }, (_, at) => {
        encoder.add({ at, text });
        return at % 5 === 4 ? encoder.take() : new Uint8Array();
      });
      return read(Buffer.concat(chunks));
    };
    expect(fileOf({})).toMatchObject({ syncs: 3, blocks: 0 });
    expect(fileOf({ compression: 'block' })).toMatchObject({ syncs: 8, blocks: 8 });
  });

  it('writes lengths as Hadoop does', () => {
    const cases: [number, string][] = [
      [0, '00'],
      [127, '7f'],
      [128, '8f80'],
      [255, '8fff'],
      [256, '8e0100'],
      [65_535, '8effff'],
      [65_536, '8d010000'],
      [2 ** 31 - 1, '8c7fffffff'],
    ];
    const written = cases.map(([length]) => {
      const bytes = new WritableBytes(1);
      bytes.vint(length);
      return bytes.written.toString('hex');
    });
    expect(written).toEqual(cases.map(([, hex]) => hex));
  });

  it.each<['key' | 'value', SequenceField<unknown>['writable'], unknown, string]>([
    ['value', 'Text', 1, 'Cannot write the value of a SequenceFile as Text'],
    ['value', 'Text', '\udc00', 'without unpaired surrogates from `value.of`'],
    ['value', 'BytesWritable', 'x', 'expected bytes (a Uint8Array)'],
    ['key', 'LongWritable', 1.5, 'Cannot write the key of a SequenceFile as LongWritable'],
    ['key', 'LongWritable', 2n ** 63n, 'got 9223372036854775808 (bigint)'],
    ['key', 'LongWritable', null, 'got null (null)'],
  ])('rejects a %s %s of %p, and adds nothing', (name, writable, bad, message) => {
    for (const compression of ['none', 'record', 'block'] as const) {
      const good = { writable: 'Text', of: () => 'x' } as const;
      const field = { writable, of: (value: unknown) => value } as SequenceField<unknown>;
      const encoder = sequenceFile({ key: good, value: good, [name]: field, compression }).encoder();
      expect(() => encoder.add(bad)).toThrow(SinkError);
      expect(() => encoder.add(bad)).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
      expect(() => encoder.add(bad)).toThrow(message);
      expect(encoder.take().length).toBe(0);
    }
  });

  it('is named seq, and compresses itself', () => {
    const format = sequenceFile<Row>({ value: VALUE, compression: 'block', codec: 'gzip' });
    expect([format.extension, format.compression.name]).toEqual(['seq', 'none']);
  });

  it('checks its options at the call', () => {
    const call = (options: unknown) => () => sequenceFile(options as never);
    expect(call({})).toThrow('Expected `value` to be an object of options');
    expect(call({ value: { writable: 'IntWritable' } })).toThrow("Expected `value.writable` to be one of 'Text'");
    expect(call({ value: { writable: 'Text' } })).toThrow('Expected `value.of` to be a function');
    expect(call({ value: VALUE, key: { writable: 'Text', from: 1 } })).toThrow('got `from`');
    expect(call({ value: VALUE, compression: 'gzip' })).toThrow(
      "Expected `compression` to be one of 'none', 'record', 'block'",
    );
    expect(call({ value: VALUE, codec: 'gzip' })).toThrow("Expected `codec` to be absent with compression 'none'");
    expect(call({ value: VALUE, compression: 'block', codec: 'lz4' })).toThrow(
      "Expected `codec` to be one of 'deflate'",
    );
    expect(call({ value: VALUE, compression: 'block', codec: 'snappy', compressionLevel: 3 })).toThrow(
      'absent without a codec',
    );
    expect(call({ value: VALUE, compression: 'block', compressionLevel: 10 })).toThrow('from 1 to 9');
  });
});
