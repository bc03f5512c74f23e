import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decompress } from 'fzstd';
import { firstValueFrom, from } from 'rxjs';
import { compress, uncompress } from 'snappyjs';
import { OptionError } from '../../src/core/errors.js';
import { type Compression, compressionOf } from '../../src/formats/compression.js';
import { hadoopSnappy, SNAPPY_BLOCK_BYTES } from '../../src/formats/hadoop-snappy.js';
import { SnappyCompression, snappy } from '../../src/formats/snappy.js';

type Compress = (chunk: Uint8Array, options: unknown, done: (error: Error | null, result: Buffer) => void) => void;
const node = zlib as typeof zlib & { zstdCompress?: Compress | undefined };
const ofThisNode = node.zstdCompress;

const chunks = ['first\n', '', 'zweiter é😀\n'.repeat(5_000), 'last'].map((one) => Buffer.from(one));

function compressed({ compress }: Compression): Promise<Uint8Array[]> {
  return Promise.all(chunks.map((chunk) => firstValueFrom(from(compress(chunk)))));
}

/** The plain blocks of Hadoop's framing, by its rule. */
function inflated(bytes: Uint8Array): Buffer[] {
  const file = Buffer.from(bytes);
  const blocks: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const [plain, compressed] = [file.readInt32BE(at), file.readInt32BE(at + 4)];
    const block = uncompress(file.subarray(at + 8, at + 8 + compressed));
    expect(block.length).toBe(plain);
    blocks.push(block);
    at += 8 + compressed;
  }
  return blocks;
}

afterEach(() => {
  if (ofThisNode === undefined) delete node.zstdCompress;
  else node.zstdCompress = ofThisNode;
});

describe('compressionOf', () => {
  it('none: the very chunk, at once', () => {
    const none = compressionOf('none');
    expect([none.name, none.extension]).toEqual(['none', '']);
    const chunk = Buffer.from('x');
    let result: unknown;
    from(none.compress(chunk)).subscribe((answer) => {
      result = answer;
    });
    expect(result).toBe(chunk);
  });

  it('gzip: a member a chunk, which decompress together as one file and each by itself', async () => {
    const gzip = compressionOf('gzip');
    expect([gzip.name, gzip.extension]).toEqual(['gzip', 'gz']);
    const members = await compressed(gzip);
    expect(zlib.gunzipSync(Buffer.concat(members)).equals(Buffer.concat(chunks))).toBe(true);
    expect(members.map((member) => zlib.gunzipSync(member).toString())).toEqual(chunks.map(String));
    expect(members[2]?.length).toBeLessThan((chunks[2] as Buffer).length / 10);
  });

  it('deflate: a zlib stream a chunk, one behind the other', async () => {
    const deflate = compressionOf('deflate');
    expect([deflate.name, deflate.extension]).toEqual(['deflate', 'deflate']);
    const streams = await compressed(deflate);
    expect(streams.map((stream) => zlib.inflateSync(stream).toString())).toEqual(chunks.map(String));
  });

  it('snappy: the blocks of Hadoop, none for no bytes', async () => {
    const snappy = compressionOf('snappy');
    expect([snappy.name, snappy.extension]).toEqual(['snappy', 'snappy']);
    const written = await compressed(snappy);
    expect(written.map((each) => inflated(each).join(''))).toEqual(chunks.map(String));
    expect(written[1]?.length).toBe(0);
    expect(inflated(Buffer.concat(written)).join('')).toBe(Buffer.concat(chunks).toString());
    expect(hadoopSnappy(Buffer.from('ab')).toString('hex')).toBe('0000000200000004020461' + '62');
  });

  it('snappy: no block has more than Hadoop reads, and random bytes come back', () => {
    expect(SNAPPY_BLOCK_BYTES).toBe(218_422);
    const sizes = [SNAPPY_BLOCK_BYTES - 1, SNAPPY_BLOCK_BYTES, SNAPPY_BLOCK_BYTES + 1, 2 * SNAPPY_BLOCK_BYTES + 7];
    for (const size of sizes) {
      const plain = Buffer.from(Array.from({ length: size }, (_, at) => (at * at) % 251));
      const blocks = inflated(hadoopSnappy(plain));
      expect(Buffer.concat(blocks).equals(plain)).toBe(true);
      expect(blocks.every(({ length }) => length > 0 && length <= SNAPPY_BLOCK_BYTES)).toBe(true);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(60), (bytes, from) => {
        const view = bytes.subarray(from);
        expect(Buffer.concat(inflated(hadoopSnappy(view))).equals(view)).toBe(true);
      }),
    );
  });

  it('a higher level compresses more, and a level is checked', async () => {
    const text = Buffer.from(Array.from({ length: 4_000 }, (_, at) => `${(at * 7919) % 1_009} `).join(''));
    const sizeAt = async (name: 'gzip' | 'deflate', level: number) =>
      (await firstValueFrom(from(compressionOf(name, level).compress(text)))).length;
    expect(await sizeAt('gzip', 9)).toBeLessThan(await sizeAt('gzip', 1));
    expect(await sizeAt('deflate', 9)).toBeLessThan(await sizeAt('deflate', 1));
    expect(() => compressionOf('gzip', 10)).toThrow(
      'Expected `compressionLevel` to be a whole number from 1 to 9, got `10`',
    );
    for (const name of ['none', 'snappy'] as const) {
      expect(() => compressionOf(name, 6)).toThrow(
        `Expected \`compressionLevel\` to be absent with compression '${name}', got \`6\` (number)`,
      );
    }
  });

  it('zstd: a frame a chunk where Node has it, by the name and the ending of zstd', async () => {
    // A stand-in where this Node has none: a frame of one raw block (RFC 8878 §3.1.1).
    node.zstdCompress ??= (chunk, _, done) => {
      const frame = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0];
      const header = Buffer.from(frame);
      header.writeUInt32LE(chunk.length, 5);
      header.writeUIntLE(chunk.length * 8 + 1, 9, 3);
      done(null, Buffer.concat([header, chunk]));
    };
    const zstd = compressionOf('zstd');
    expect([zstd.name, zstd.extension]).toEqual(['zstd', 'zst']);
    const frames = await compressed(zstd);
    expect(Buffer.from(decompress(Buffer.concat(frames))).equals(Buffer.concat(chunks))).toBe(true);
  });

  it('rejects zstd at the call where Node has none, and says what to do', () => {
    delete node.zstdCompress;
    const call = () => compressionOf('zstd');
    expect(call).toThrow(OptionError);
    expect(call).toThrow(
      `Expected \`compression\` 'zstd' to be supported by this Node, got Node ${process.versions.node}. ` +
        "Use Node 22.15 or later, or compression 'gzip'.",
    );
  });

  it('rejects other names', () => {
    expect(() => compressionOf('brotli' as never)).toThrow(
      "Expected `compression` to be one of 'none', 'gzip', 'deflate', 'snappy', 'zstd'",
    );
  });
});

describe('snappy', () => {
  /** Bytes that repeat near and far, at the edges of fragments too. */
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(300))
      .map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes)),
    fc
      .constantFrom(60, 61, 256, 257, 65_520, 65_536)
      .map((length) => Buffer.from(Array.from({ length }, (_, n) => (n * n) >> 3))),
  );

  it('is read back by another library, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const plain = Buffer.concat([...pieces, ...pieces.slice(0, 3)]);
        expect(Buffer.compare(Buffer.from(uncompress(snappy(plain))), plain)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is about as small as that of another library, and never much larger than the bytes', () => {
    const lines = Buffer.from(
      Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"user":"user-${n % 1_000}"}\n`).join(''),
    );
    expect(snappy(lines).length).toBeLessThan(1.02 * compress(lines).length);
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, n) => Math.imul(n * n + 7, 0x9e3779b1) >>> 24));
    expect(snappy(noise).length).toBeLessThan(noise.length + 100);
  });

  it('is the same in slices of 64 KiB, others being compressed between', () => {
    const plain = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n) >> 5));
    const compression = new SnappyCompression(plain);
    const steps: number[] = [];
    while (!compression.isDone) {
      steps.push(compression.next());
      snappy(plain.subarray(steps.length * 1_000));
    }
    expect(steps).toEqual([65_536, 65_536, 65_536, 65_536, 300_000 - 4 * 65_536]);
    expect(compression.compressed().equals(snappy(plain))).toBe(true);
    expect(snappy(Buffer.alloc(0))).toEqual(Buffer.of(0));
  });
});
