import zlib from 'node:zlib';
import { OptionError } from '../core/errors.js';
import { expectOneOf } from '../core/options.js';
import { AvroWriter } from './avro-bytes.js';
import { snappy } from './snappy.js';

/** How each block of a file is stored, by our names: `zstd` is `zstandard` in the file. */
export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstd';

/** A codec, ready: its name in the file, and what it makes of a block. */
export interface BlockCodec {
  readonly name: string;
  compress(plain: Buffer): Uint8Array;
}

/** The codec of that name, of those that are offered; `zstd` requires Node 22.15 or later, otherwise throws `OptionError`. */
export function blockCodec(codec: AvroCodec, offered: readonly AvroCodec[]): BlockCodec {
  expectOneOf('codec', codec, offered);
  switch (codec) {
    case 'null':
      return { name: 'null', compress: (plain) => plain };
    case 'deflate':
      return { name: 'deflate', compress: (plain) => zlib.deflateRawSync(plain) };
    case 'snappy':
      return { name: 'snappy', compress: snappyWithChecksum };
    case 'zstd':
      return { name: 'zstandard', compress: zstdOfNode() };
  }
}

/** Raw Snappy, and the CRC-32 of the plain bytes behind it, big-endian. */
function snappyWithChecksum(plain: Buffer): Buffer {
  const checksum = Buffer.allocUnsafe(4);
  checksum.writeUInt32BE(zlib.crc32(plain));
  return Buffer.concat([snappy(plain), checksum]);
}

function zstdOfNode(): (plain: Buffer) => Uint8Array {
  const { zstdCompressSync } = zlib as typeof zlib & { readonly zstdCompressSync?: (plain: Buffer) => Buffer };
  if (zstdCompressSync === undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`codec\` 'zstd' to be supported by this Node, got Node ${process.versions.node}. ` +
        "Use Node 22.15 or later, or codec 'snappy'.",
    );
  }
  return zstdCompressSync;
}

const MAGIC = Buffer.from('Obj\u0001', 'latin1');
const SYNC_BYTES = 16;
/** More than the counts, the lengths and the names around a header and a block take. */
const AROUND_BYTES = 192;

/**
 * What one Avro object container file is made of: a header before the first block, and the blocks with a sync marker behind each.
 *
 * Source: Avro 1.11 specification, "Object Container Files".
 */
export class AvroContainer {
  readonly #schema: string;
  readonly #codec: BlockCodec;
  /** Another in each file. */
  readonly #sync = crypto.getRandomValues(new Uint8Array(SYNC_BYTES));
  #hasHeader = false;

  /** `schema`: its JSON text. */
  constructor(schema: string, codec: BlockCodec) {
    this.#schema = schema;
    this.#codec = codec;
  }

  /** So many encoded values as a block; the first time, the header before it. */
  block(count: number, values: Buffer): Buffer {
    const block = this.#codec.compress(values);
    const writer = new AvroWriter(block.length + AROUND_BYTES);
    if (!this.#hasHeader) this.#writeHeader(writer);
    writer.long(count);
    writer.bytes(block);
    writer.fixed(this.#sync);
    return writer.written;
  }

  #writeHeader(writer: AvroWriter): void {
    this.#hasHeader = true;
    writer.fixed(MAGIC);
    writer.long(2);
    writer.text('avro.schema');
    writer.text(this.#schema);
    writer.text('avro.codec');
    writer.text(this.#codec.name);
    writer.long(0);
    writer.fixed(this.#sync);
  }
}
