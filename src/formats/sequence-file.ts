import zlib from 'node:zlib';
import { expectOneOf, expectOption, expectWhole, withDefaults } from '../core/options.js';
import { KiB } from '../core/units.js';
import { compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';
import { hadoopSnappy } from './hadoop-snappy.js';
import { type CheckedField, checkField, type SequenceField } from './sequence-field.js';
import { WritableBytes } from './writable-bytes.js';

export interface SequenceFileOptions<T> {
  /** Default `{ writable: 'NullWritable' }`. */
  readonly key?: SequenceField<T>;
  readonly value: SequenceField<T>;
  /** `record`: each value by itself. `block`: keys and values of many records together, a block a chunk. Default `none`. */
  readonly compression?: 'none' | 'record' | 'block';
  /** Hadoop's `DefaultCodec`, `GzipCodec` or `SnappyCodec`. Default `deflate`. */
  readonly codec?: 'deflate' | 'gzip' | 'snappy';
  /** Of `deflate` and `gzip`: 1 to 9, default 6. */
  readonly compressionLevel?: number;
}

/** The defaults of `sequenceFile`. */
export const SEQUENCE_FILE_DEFAULTS = {
  key: { writable: 'NullWritable' },
  compression: 'none',
  codec: 'deflate',
} as const satisfies Omit<SequenceFileOptions<unknown>, 'value'>;

/**
 * Hadoop's SequenceFile, version 6: a key and a value for each value of the flow, made by the functions given. Each file is
 * whole by itself, with a random sync marker of its own.
 *
 * ```ts
 * import { jsonText } from 'rxflume';
 * import { sequenceFile } from 'rxflume/formats';
 *
 * export const format = sequenceFile<{ id: string; at: number }>({
 *   key: { writable: 'LongWritable', of: ({ at }) => at },
 *   value: { writable: 'Text', of: jsonText },
 *   compression: 'block',
 * });
 * ```
 *
 * Bounds: a block has what a chunk has: `chunk.bytes` of the file sink and one value more. It is compressed on the main thread.
 * Fails: `RXF_SINK_FORMAT` for a key or a value that its Writable does not hold. Nothing is written then.
 * Source: Hadoop 3.4.1, `SequenceFile`.
 */
export function sequenceFile<T>(options: SequenceFileOptions<T>): Format<T> {
  const checked = withDefaults('sequenceFile options', SEQUENCE_FILE_DEFAULTS, options, ['value', 'compressionLevel']);
  const { compression, codec, compressionLevel: level } = checked;
  expectOneOf('compression', compression, ['none', 'record', 'block']);
  expectOneOf('codec', codec, ['deflate', 'gzip', 'snappy']);
  const isPlain = compression === 'none';
  expectOption('codec', options.codec, !isPlain || options.codec === undefined, "absent with compression 'none'");
  const hasLevel = !isPlain && codec !== 'snappy';
  expectOption('compressionLevel', level, hasLevel || level === undefined, 'absent without a codec that has levels');
  if (level !== undefined) expectWhole('compressionLevel', level, 1, 9);
  const file: File<T> = {
    key: checkField('key', checked.key),
    value: checkField('value', options.value),
    compression,
    codecClass: CODEC_CLASSES[codec],
    compress: compressorOf(codec, level),
  };
  return {
    extension: 'seq',
    // What is in the file is compressed, not the file: a reader must find the sync markers.
    compression: compressionOf('none'),
    encoder: () => (compression === 'block' ? new BlockEncoder(file) : new RecordEncoder(file)),
  };
}

interface File<T> {
  readonly key: CheckedField<T>;
  readonly value: CheckedField<T>;
  readonly compression: 'none' | 'record' | 'block';
  readonly codecClass: string;
  readonly compress: (plain: Uint8Array) => Uint8Array;
}

const CODEC_CLASSES = {
  deflate: 'org.apache.hadoop.io.compress.DefaultCodec',
  gzip: 'org.apache.hadoop.io.compress.GzipCodec',
  snappy: 'org.apache.hadoop.io.compress.SnappyCodec',
} as const;

function compressorOf(codec: keyof typeof CODEC_CLASSES, level = 6): File<never>['compress'] {
  if (codec === 'snappy') return hadoopSnappy;
  return codec === 'gzip' ? (plain) => zlib.gzipSync(plain, { level }) : (plain) => zlib.deflateSync(plain, { level });
}

const MAGIC = Buffer.from('SEQ\u0006', 'latin1');
const SYNC_BYTES = 16;
/** What is read as the length of a record, and says that a sync marker follows. */
const SYNC_ESCAPE = -1;
/** Before a record, so many bytes after the last one, comes a sync marker, at which a reader of a part of the file begins. */
const SYNC_INTERVAL_BYTES = 100 * KiB;

/** What both kinds of files have: the header before the first chunk, and the sync marker. */
class SequenceFileParts {
  /** Another in each file, so that a file within a file is not taken for its end. */
  readonly #sync = crypto.getRandomValues(new Uint8Array(SYNC_BYTES));
  #hasHeader = false;

  writeSync(into: WritableBytes): void {
    into.int32(SYNC_ESCAPE);
    into.fixed(this.#sync);
  }

  /** Once: what the file begins with. */
  writeHeader<T>({ key, value, compression, codecClass }: File<T>, into: WritableBytes): void {
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    into.fixed(MAGIC);
    into.text(key.className);
    into.text(value.className);
    into.boolean(compression !== 'none');
    into.boolean(compression === 'block');
    if (compression !== 'none') into.text(codecClass);
    // The number of its metadata.
    into.int32(0);
    into.fixed(this.#sync);
  }
}

/** One record after the other, its value compressed where that is asked for. */
class RecordEncoder<T> implements Encoder<T> {
  readonly #file: File<T>;
  readonly #parts = new SequenceFileParts();
  readonly #chunk = new WritableBytes(16 * KiB);
  readonly #key = new WritableBytes(64);
  readonly #value = new WritableBytes(1 * KiB);
  #sinceSync = 0;

  constructor(file: File<T>) {
    this.#file = file;
  }

  add(value: T): number {
    const { key, value: field, compression, compress } = this.#file;
    this.#key.clear();
    this.#value.clear();
    key.write(value, this.#key);
    field.write(value, this.#value);
    const written = compression === 'record' ? compress(this.#value.written) : this.#value.written;
    this.#parts.writeHeader(this.#file, this.#chunk);
    if (this.#sinceSync >= SYNC_INTERVAL_BYTES) {
      this.#parts.writeSync(this.#chunk);
      this.#sinceSync = 0;
    }
    const before = this.#chunk.length;
    this.#chunk.int32(this.#key.length + written.length);
    this.#chunk.int32(this.#key.length);
    this.#chunk.fixed(this.#key.written);
    this.#chunk.fixed(written);
    this.#sinceSync += this.#chunk.length - before;
    return this.#chunk.length;
  }

  take(): Uint8Array {
    return this.#chunk.take();
  }
}

/** All records of a chunk as one block: the lengths of the keys, the keys, the lengths of the values, the values. */
class BlockEncoder<T> implements Encoder<T> {
  readonly #file: File<T>;
  readonly #parts = new SequenceFileParts();
  readonly #keyLengths = new WritableBytes(1 * KiB);
  readonly #keys = new WritableBytes(16 * KiB);
  readonly #valueLengths = new WritableBytes(1 * KiB);
  readonly #values = new WritableBytes(16 * KiB);
  readonly #key = new WritableBytes(64);
  readonly #value = new WritableBytes(1 * KiB);
  #count = 0;

  constructor(file: File<T>) {
    this.#file = file;
  }

  add(value: T): number {
    this.#key.clear();
    this.#value.clear();
    this.#file.key.write(value, this.#key);
    this.#file.value.write(value, this.#value);
    this.#keyLengths.vint(this.#key.length);
    this.#keys.fixed(this.#key.written);
    this.#valueLengths.vint(this.#value.length);
    this.#values.fixed(this.#value.written);
    this.#count += 1;
    return this.#keyLengths.length + this.#keys.length + this.#valueLengths.length + this.#values.length;
  }

  take(): Uint8Array {
    if (this.#count === 0) return new Uint8Array();
    const columns = [this.#keyLengths, this.#keys, this.#valueLengths, this.#values];
    const compressed = columns.map((column) => this.#file.compress(column.written));
    const block = new WritableBytes(compressed.reduce((sum, { length }) => sum + length, 256));
    this.#parts.writeHeader(this.#file, block);
    this.#parts.writeSync(block);
    block.vint(this.#count);
    for (const column of compressed) {
      block.vint(column.length);
      block.fixed(column);
    }
    for (const column of columns) column.clear();
    this.#count = 0;
    return block.written;
  }
}
