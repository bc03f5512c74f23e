import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCodecs } from '../../../../src/drivers/kafkajs/codecs/codecs.js';
import { deflateLz4 } from '../../../../src/drivers/kafkajs/codecs/lz4.js';
import { inflateLz4 } from '../../../../src/formats/inflate/lz4.js';
import { inflateSnappy } from '../../../../src/formats/inflate/snappy.js';
import { inflateZstd, inflateZstdPlain } from '../../../../src/formats/inflate/zstd.js';

const most = 1 << 20;
const codecs = createCodecs({ maxBatchBytes: most });
const text = Buffer.from(
  Array.from({ length: 2_000 }, (_, index) => `{"id":${index},"text":"${'ab'.repeat(index % 40)}"}`).join('\n'),
);

/** Bytes that repeat themselves, as records do, or do not. */
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(40), fc.uint8Array({ maxLength: 300 }))
  .map(([part, times, rest]) => Buffer.concat([...Array.from({ length: times }, () => part), rest]));

function xerial(...blocks: Buffer[]): Buffer {
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]), ...framed]);
}

/** A zstd frame of one block that repeats one byte: a bomb of a few bytes. */
function zstdOf(byte: number, times: number, windowDescriptor: number): Buffer {
  const header = (times << 3) | (1 << 1) | 1;
  return Buffer.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0,
    windowDescriptor,
    header & 255,
    (header >> 8) & 255,
    (header >> 16) & 255,
    byte,
  ]);
}

describe('codecs', () => {
  it.each([
    ['gzip', 1],
    ['snappy', 2],
    ['lz4', 3],
  ] as const)('%s gives back what it was given', async (_name, type) => {
    await fc.assert(
      fc.asyncProperty(bytes, async (plain) => {
        const packed = await codecs[type].compress({ buffer: plain });
        expect((await codecs[type].decompress(packed)).equals(plain)).toBe(true);
      }),
      { numRuns: 40 },
    );
    expect((await codecs[type].decompress(await codecs[type].compress({ buffer: text }))).equals(text)).toBe(true);
  });

  it("reads snappy raw and in Java's frames, of several blocks", async () => {
    const a = await codecs[2].compress({ buffer: text.subarray(0, 9_000) });
    const b = await codecs[2].compress({ buffer: text.subarray(9_000) });
    expect(inflateSnappy(xerial(a, b), most).equals(text)).toBe(true);
    expect(inflateSnappy(xerial(), most)).toHaveLength(0);
  });

  it('reads lz4 and zstd as their own tools write them', () => {
    for (const [command, flags, inflate] of [
      ['lz4', ['-c', '-BD', '-B4'], inflateLz4],
      ['lz4', ['-c', '-9', '--content-size', '-BX'], inflateLz4],
      ['zstd', ['-c', '-19'], inflateZstdPlain],
      ['zstd', ['-c', '-1', '--no-check'], inflateZstd],
    ] as const) {
      const packed = packedBy(command, flags);
      if (packed !== undefined) expect(inflate(packed, most).equals(text)).toBe(true);
    }
  });

  it('does not inflate beyond the limit, before it is held where the size is known', async () => {
    const plain = Buffer.alloc(most + 1, 'x');
    const packed = {
      1: gzipSync(plain),
      2: await codecs[2].compress({ buffer: plain }),
      3: await codecs[3].compress({ buffer: plain }),
    };
    for (const type of [1, 2, 3] as const) {
      const answer = codecs[type].decompress(packed[type]);
      await expect(answer).rejects.toThrow(/decompresses to more than 1048576 bytes.*maxBatchBytes/);
    }
    expect(() => inflateZstdPlain(zstdOf(7, 100_000, 0x38), 50_000)).toThrow('too large');
    expect(inflateZstdPlain(zstdOf(7, 100_000, 0x38), most)).toEqual(Buffer.alloc(100_000, 7));
    // A window of terabytes, in ten bytes.
    expect(() => inflateZstdPlain(zstdOf(7, 1, 0xff), most)).toThrow('window');
  });

  it('writes lz4 as Kafka takes it: one frame, its blocks independent', () => {
    const random = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * at * 31 + (at >> 3)) & 255));
    for (const plain of [Buffer.alloc(0), text, random, Buffer.alloc((9 << 20) + 5, text)]) {
      const frame = deflateLz4(plain);
      expect([frame.readUInt32LE(0), frame[4]]).toEqual([0x184d2204, 0x60]);
      expect(inflateLz4(frame, 10 << 20).equals(plain)).toBe(true);
      expect(frame.indexOf(Buffer.from([0x04, 0x22, 0x4d, 0x18]), 4)).toBe(-1);
    }
  });

  it('an lz4 match that runs beyond the limit is rejected, not cut', () => {
    const block = Buffer.from([0x1f, 0x78, 1, 0, ...Array.from({ length: 20 }, () => 255), 0]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const frame = Buffer.concat([
      Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]),
      size,
      block,
      Buffer.alloc(4),
    ]);
    expect(inflateLz4(frame, 6_000)).toHaveLength(1 + 19 + 20 * 255);
    expect(() => inflateLz4(frame, 5_000)).toThrow('too large');
  });

  it('fails on bytes that are no such batch, and never hangs, reads or writes beyond', async () => {
    const good = { 2: await codecs[2].compress({ buffer: text }), 3: await codecs[3].compress({ buffer: text }) };
    fc.assert(
      fc.property(fc.constantFrom(2 as const, 3 as const), fc.nat(), fc.nat(255), fc.nat(), (type, at, byte, end) => {
        const broken = Buffer.from(good[type]).subarray(0, 1 + (end % good[type].length));
        broken[at % broken.length] = byte;
        try {
          const inflated = type === 2 ? inflateSnappy(broken, most) : inflateLz4(broken, most);
          expect(inflated.length).toBeLessThanOrEqual(most);
        } catch (error) {
          expect(String(error)).toMatch(/corrupt|too large|dictionary/);
        }
      }),
      { numRuns: 150 },
    );
    await expect(codecs[1].decompress(Buffer.from('no gzip'))).rejects.toThrow();
    expect(() => inflateZstdPlain(Buffer.from('no zstd'), most)).toThrow('corrupt');
  });
});

function packedBy(command: string, flags: readonly string[]): Buffer | undefined {
  try {
    return execFileSync(command, [...flags], { input: text, stdio: ['pipe', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
