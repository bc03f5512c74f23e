import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compress as rawSnappy } from 'snappyjs';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { deflateLz4 } from '../../src/drivers/kafkajs/codecs/lz4.js';
import { decompress } from '../../src/formats/decompress.js';
import { inflateZstdPlain } from '../../src/formats/inflate/zstd.js';
import { json } from '../../src/formats/json.js';

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A frame of raw blocks, which declares its size. */
function zstdOf(plain: Buffer, declared = plain.length): Buffer {
  const header = Buffer.alloc(9);
  header[0] = 0b1010_0000;
  header.writeUInt32LE(declared, 1);
  const block = Buffer.alloc(3);
  block.writeUIntLE((plain.length << 3) | 1, 0, 3);
  return Buffer.concat([ZSTD, header.subarray(0, 5), block, plain]);
}

function xerialOf(plain: Buffer): Buffer {
  const block = Buffer.from(rawSnappy(plain));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  return Buffer.concat([Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]), length, block]);
}

const CODECS = [
  ['gzip', (plain: Buffer) => zlib.gzipSync(plain)],
  ['deflate', (plain: Buffer) => zlib.deflateSync(plain)],
  ['snappy', (plain: Buffer) => Buffer.from(rawSnappy(plain))],
  ['lz4', deflateLz4],
  ['zstd', (plain: Buffer) => zstdOf(plain)],
] as const;

const asItIs = (bytes: Buffer) => bytes;

describe('decompress', () => {
  it.each(CODECS)('%s: gives the other decoder what was compressed, up to maxBytes', (codec, compressed) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (part, times) => {
        const plain = Buffer.concat(Array.from({ length: times }, () => part));
        const bytes = compressed(plain);
        expect(decompress(asItIs, { codec, maxBytes: plain.length })(bytes).equals(plain)).toBe(true);
        const call = () => decompress(asItIs, { codec, maxBytes: Math.max(1, plain.length - 1) })(bytes);
        if (plain.length === 1) return;
        expect(call).toThrow(
          expect.objectContaining({
            code: 'RXF_DECODE_TOO_LARGE',
            details: { codec, maxBytes: plain.length - 1, length: bytes.length },
          }),
        );
        expect(call).toThrow(`decompress to more than \`maxBytes\`, which is ${plain.length - 1}. Raise \`maxBytes\``);
      }),
      { numRuns: 30 },
    );
    const read = decompress(json(), { codec });
    expect(read(compressed(Buffer.from('{"id":7}')))).toEqual({ id: 7 });
    expect(() => read(compressed(Buffer.from('{')))).toThrow('Not JSON');
    expect(() => read(Buffer.alloc(0))).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
    expect(() => read(null)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
  });

  it.each(CODECS)('%s: every byte belongs to it', (codec, compressed) => {
    const [one, other] = [compressed(Buffer.from('one of them, one of them')), compressed(Buffer.from('other'))];
    const read = decompress(String, { codec });
    const isOneBlock = codec === 'snappy';
    if (!isOneBlock) expect(read(Buffer.concat([one, other]))).toBe('one of them, one of themother');
    const endless = Buffer.concat(Array.from({ length: 1_001 }, () => compressed(Buffer.alloc(0))));
    const isLoop = codec === 'deflate' || codec === 'zstd';
    for (const damaged of [
      Buffer.concat([one, Buffer.from([0])]),
      Buffer.concat([one, Buffer.from('rest')]),
      one.subarray(0, -1),
      one.subarray(0, 3),
      Buffer.from('plain text'),
      ...(isLoop ? [endless] : []),
    ]) {
      const call = () => read(damaged);
      expect(call).toThrow(DecodeError);
      expect(call).toThrow(
        expect.objectContaining({ code: 'RXF_DECODE_SYNTAX', details: { codec, length: damaged.length } }),
      );
      expect(call).toThrow(`Not ${codec}: the ${codec} data is corrupt`);
    }
  });

  it('checks the size that is declared before it allocates, and that the bytes can have it', () => {
    const fourGiB = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
    const lz4 = Buffer.concat([
      Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x68, 0x40]),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]),
      Buffer.alloc(4),
    ]);
    const zstd = zstdOf(Buffer.from('x'), 0xffffffff);
    for (const [codec, bytes] of [
      ['snappy', Buffer.concat([fourGiB, Buffer.from([0, 65])])],
      ['lz4', lz4],
      ['zstd', zstd],
    ] as const) {
      expect(() => decompress(asItIs, { codec })(bytes)).toThrow(
        'decompress to more than `maxBytes`, which is 16777216',
      );
    }
    const before = process.memoryUsage().arrayBuffers;
    const tenMiB = Buffer.from([0x80, 0x80, 0x80, 0x05, 0, 65]);
    expect(() => decompress(asItIs, { codec: 'snappy' })(tenMiB)).toThrow('corrupt');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
    expect(() => decompress(asItIs, { codec: 'zstd' })(zstdOf(Buffer.from('x'), 5))).toThrow('corrupt');
  });

  it('stops a bomb at the limit, and a window that no writer needs before it is allocated', () => {
    const zeros = Buffer.alloc(20 << 20);
    for (const codec of ['gzip', 'deflate'] as const) {
      const bomb = codec === 'gzip' ? zlib.gzipSync(zeros) : zlib.deflateSync(zeros);
      expect(() => decompress(asItIs, { codec })(bomb)).toThrow('which is 16777216');
      // Of many members, each within the limit.
      const member = zlib.gzipSync(Buffer.alloc(1_000));
      const many = Buffer.concat(Array.from({ length: 20 }, () => member));
      expect(() => decompress(asItIs, { codec: 'gzip', maxBytes: 10_000 })(many)).toThrow('which is 10000');
    }
    const wide = Buffer.concat([ZSTD, Buffer.from([0, 0x88, 0x0b, 0, 0, 65])]);
    expect(() => decompress(asItIs, { codec: 'zstd' })(wide)).toThrow(
      'in need of a window of more than 16777216 bytes',
    );
    expect(() => decompress(asItIs, { codec: 'zstd', maxBytes: 1 })(wide)).toThrow('more than 8388608 bytes');
    expect(() => inflateZstdPlain(Buffer.concat([zstdOf(Buffer.from('x')), wide]), 100, 1 << 20)).toThrow('window');
    // The second frame alone is beyond the limit.
    const second = Buffer.concat([ZSTD, Buffer.from([0, 0x58, 0x83, 0x3e, 0, 65])]);
    expect(() => inflateZstdPlain(Buffer.concat([second, second]), 3_000)).toThrow('too large');
  });

  it('auto: by the first bytes; others are passed on as they are', () => {
    const read = decompress((bytes) => bytes.toString('latin1'));
    const plain = Buffer.from('{"text":"auto auto auto"}');
    for (const [codec, compressed] of CODECS) {
      if (codec !== 'deflate' && codec !== 'snappy') expect(read(compressed(plain))).toBe(String(plain));
    }
    expect(read(xerialOf(plain))).toBe(String(plain));
    expect(read(plain)).toBe(String(plain));
    expect(read(Buffer.from([0x1f]))).toBe('\x1f');
    expect(() => read(Buffer.from([0x1f, 0x8b, 0, 0]))).toThrow('Not gzip');
    expect(decompress(asItIs, { codec: 'snappy' })(xerialOf(plain)).equals(plain)).toBe(true);
    expect(() => decompress(asItIs, { codec: 'snappy' })(xerialOf(plain).subarray(0, 18))).toThrow('corrupt');
  });

  it('checks its options at the call', () => {
    expect(() => decompress(asItIs, { codec: 'brotli' as never })).toThrow(OptionError);
    expect(() => decompress(asItIs, { maxBytes: 0 })).toThrow('`maxBytes` to be a whole number from 1 to 1073741824');
    expect(() => decompress({} as never)).toThrow('Expected `decoder`');
  });
});
