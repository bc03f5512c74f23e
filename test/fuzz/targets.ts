import zlib from 'node:zlib';
import { Encoder } from '@msgpack/msgpack';
import { compress as compressSnappy } from 'snappyjs';
import { deflateLz4 } from '../../src/drivers/kafkajs/codecs/lz4.js';
import { AvroWriter } from '../../src/formats/avro-bytes.js';
import { compileAvro } from '../../src/formats/avro-compile.js';
import type { AvroSchema } from '../../src/formats/avro-schema.js';
import { csv } from '../../src/formats/csv.js';
import { flumeAvro, toFlumeAvro } from '../../src/formats/flume-avro.js';
import { avro, csvRow, decompress, messagePack, rawJson, textDecoder } from '../../src/formats/index.js';
import { json } from '../../src/formats/json.js';
import { INPUT_TARGETS } from './input-targets.js';
import type { Random } from './random.js';
import type { Target } from './run.js';
import { SCHEMA_TARGETS } from './schema-targets.js';

/** Any value that JSON has. */
function jsonValue(random: Random, depth = 3): unknown {
  switch (random.below(depth === 0 ? 5 : 7)) {
    case 0:
      return null;
    case 1:
      return random.chance(2);
    case 2:
      return random.below(2 ** 32) - 2 ** 31;
    case 3:
      return random.below(1_000) / 8;
    case 4:
      return random.text();
    case 5:
      return random.list(5, () => jsonValue(random, depth - 1));
    default:
      return Object.fromEntries(random.list(5, () => [random.text(), jsonValue(random, depth - 1)] as const));
  }
}

const SCHEMA = {
  type: 'record',
  name: 'Message',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'n', type: 'int' },
    { name: 'share', type: 'double' },
    { name: 'weight', type: 'float' },
    { name: 'ok', type: 'boolean' },
    { name: 'text', type: ['null', 'string'] },
    { name: 'body', type: 'bytes' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['ASK', 'REPLY'] } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'nothing', type: { type: 'array', items: 'null' } },
    { name: 'reply', type: ['null', 'Message'] },
  ],
} as const;

function message(random: Random, depth = 2): Record<string, unknown> {
  return {
    id: random.chance(3) ? 2n ** 62n + BigInt(random.below(1_000)) : random.below(2 ** 40) - 2 ** 20,
    n: random.below(2 ** 32) - 2 ** 31,
    share: random.below(10_000) / 7,
    weight: random.below(1_000) / 8,
    ok: random.chance(2),
    text: random.chance(2) ? null : random.text(),
    body: random.bytes(random.below(20)),
    tags: random.list(4, () => random.text()),
    counts: Object.fromEntries(random.list(4, () => [random.text(), random.below(1_000)] as const)),
    kind: random.pick(['ASK', 'REPLY']),
    hash: random.bytes(3),
    at: new Date(random.below(2 ** 41)),
    price: `${random.below(10_000)}.${random.below(90) + 10}`,
    nothing: random.list(3, () => null),
    reply: depth > 0 && random.chance(2) ? message(random, depth - 1) : null,
  };
}

function avroOf(schema: AvroSchema): (value: unknown) => Buffer | undefined {
  const { type } = compileAvro(schema);
  return (value) => {
    // A float read is a double that a float holds, and a union may be written as another branch.
    if (type.misfit(value) !== undefined) return undefined;
    const writer = new AvroWriter(256);
    type.write(value as never, writer);
    return writer.written;
  };
}

const toAvro = avroOf(SCHEMA);
const READER = {
  type: 'record',
  name: 'Message',
  fields: [
    { name: 'words', aliases: ['tags'], type: { type: 'array', items: 'bytes' } },
    { name: 'id', type: ['string', 'double'] },
    { name: 'more', type: { type: 'map', values: 'int' }, default: { a: 1 } },
    { name: 'reply', type: ['null', 'Message'] },
  ],
} as const;

const COLUMNS = [
  { name: 'text', type: 'string' },
  { name: 'note', type: 'string', nullable: true },
  { name: 'share', type: 'number' },
  { name: 'count', type: 'integer', nullable: true },
  { name: 'ok', type: 'boolean' },
  { name: 'at', type: 'timestamp', nullable: true },
] as const;

function toCsv(row: unknown): Buffer {
  const encoder = csv({ columns: COLUMNS, header: 'none' }).encoder();
  encoder.add(row as never);
  return Buffer.from(encoder.take());
}

const MAX_BYTES = 1 << 20;
const msgpack = new Encoder({ useBigInt64: true });

/** What compresses, by codec: often zeros, whose lengths are what can be blown up. */
const COMPRESSED: Readonly<Record<'gzip' | 'deflate' | 'snappy' | 'lz4', (plain: Buffer) => Buffer>> = {
  gzip: (plain) => zlib.gzipSync(plain),
  deflate: (plain) => zlib.deflateSync(plain),
  snappy: (plain) => Buffer.from(compressSnappy(plain)),
  lz4: deflateLz4,
};

function plainOf(random: Random): Buffer {
  const part = Buffer.from(random.text(40));
  const many = Buffer.concat(Array.from({ length: 1 + random.below(30) }, () => part));
  return random.chance(4) ? Buffer.alloc(1 + random.below(100_000)) : many;
}

/** A frame of a repeated byte, of raw bytes, and an end. */
function zstdOf(random: Random): Buffer {
  const raw = Buffer.from(`x${random.text()}`);
  const blockOf = (size: number, type: number, isLast: number) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((size << 3) | (type << 1) | isLast, 0, 3);
    return header;
  };
  const frame = Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]),
    blockOf(1 + random.below(100_000), 1, 0),
    Buffer.from([random.below(256)]),
    blockOf(raw.length, 0, 1),
    raw,
  ]);
  return random.chance(2) ? Buffer.concat([frame, frame]) : frame;
}

const notTooLarge = (value: Buffer) =>
  value.length <= MAX_BYTES ? undefined : `decompressed to ${value.length} bytes`;
const asItIs = (bytes: Buffer) => bytes;
const bigints = json(undefined, { numbers: 'bigint' });

function text(charset: string, encoding: BufferEncoding): Target {
  return {
    name: `text-${charset}`,
    sample: (random) => Buffer.from(random.text(30), encoding),
    decode: textDecoder({ charset, bom: 'keep' }),
    problem: (value: unknown) => (typeof value === 'string' ? undefined : 'was not read as text'),
  };
}

/** Every decoder; a new one adds a row. */
export const TARGETS: readonly Target[] = [
  {
    name: 'json',
    sample: (random) => Buffer.from(JSON.stringify(jsonValue(random))),
    decode: json(),
    // `-0` is written as `0`.
    problem: (value: unknown) => {
      const text = JSON.stringify(value);
      return JSON.stringify(json()(text)) === text ? undefined : 'is another JSON text when it is read again';
    },
  },
  {
    name: 'json-bigint',
    sample: (random) =>
      Buffer.from(`[${1 + random.below(9)}${'7'.repeat(random.below(40))},${JSON.stringify(jsonValue(random))}]`),
    decode: bigints,
  },
  {
    name: 'raw-json',
    sample: (random) => Buffer.from(JSON.stringify(jsonValue(random))),
    decode: rawJson(),
  },
  {
    name: 'avro',
    sample: (random) => toAvro(message(random)) as Buffer,
    decode: avro({ schema: SCHEMA }),
    encode: toAvro,
  },
  {
    name: 'avro-resolved',
    sample: (random) => toAvro({ ...message(random), id: random.below(1_000) }) as Buffer,
    decode: avro({ schema: SCHEMA, readerSchema: READER }),
  },
  {
    name: 'csv',
    sample: (random) =>
      toCsv({
        text: random.text(),
        note: random.chance(2) ? null : random.text(),
        share: random.below(1_000) / 8,
        count: random.chance(2) ? null : 10n ** BigInt(random.below(40)),
        ok: random.chance(2),
        at: random.chance(2) ? null : new Date(random.below(2 ** 41)),
      }),
    decode: csvRow({ columns: COLUMNS }),
    encode: toCsv,
  },
  {
    name: 'messagepack',
    sample: (random) => Buffer.from(msgpack.encode({ ...message(random), json: jsonValue(random) })),
    decode: messagePack(),
  },
  ...(['gzip', 'deflate', 'snappy', 'lz4'] as const).map(
    (codec): Target => ({
      name: `decompress-${codec}`,
      sample: (random) => COMPRESSED[codec](plainOf(random)),
      decode: decompress(asItIs, { codec, maxBytes: MAX_BYTES }),
      problem: notTooLarge,
    }),
  ),
  {
    name: 'decompress-zstd',
    sample: zstdOf,
    decode: decompress(asItIs, { codec: 'zstd', maxBytes: MAX_BYTES }),
    problem: notTooLarge,
  },
  {
    name: 'decompress-auto',
    sample: (random) =>
      random.chance(2) ? zstdOf(random) : COMPRESSED[random.pick(['gzip', 'lz4'] as const)](plainOf(random)),
    decode: decompress(asItIs, { maxBytes: MAX_BYTES }),
    // Bytes of no codec are passed on.
    problem: (value: Buffer, bytes) => (value.length <= bytes.length ? undefined : notTooLarge(value)),
  },
  {
    name: 'flume-avro',
    sample: (random) =>
      toFlumeAvro({
        headers: Object.fromEntries(random.list(4, () => [random.text(), random.text()] as const)),
        body: random.bytes(random.below(40)),
      }),
    decode: flumeAvro(),
    encode: toFlumeAvro,
  },
  ...SCHEMA_TARGETS,
  ...INPUT_TARGETS,
  text('utf-8', 'utf8'),
  text('latin1', 'latin1'),
  text('utf-16le', 'utf16le'),
  ...['gbk', 'gb18030', 'big5', 'shift_jis', 'euc-kr'].map((charset) => ({
    ...text(charset, 'utf8'),
    sample: (random: Random) => Buffer.from(random.list(20, () => random.pick(['a', '1', ' '])).join('')),
  })),
];
