import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decompress } from 'fzstd';
import { firstValueFrom, from } from 'rxjs';
import { OptionError } from '../../src/core/errors.js';
import { type Compression, compressionOf } from '../../src/formats/compression.js';

type Compress = (chunk: Uint8Array, done: (error: Error | null, result: Buffer) => void) => void;
const node = zlib as typeof zlib & { zstdCompress?: Compress | undefined };
const ofThisNode = node.zstdCompress;

const chunks = ['first\n', '', 'zweiter é😀\n'.repeat(5_000), 'last'].map((one) => Buffer.from(one));

function compressed({ compress }: Compression): Promise<Uint8Array[]> {
  return Promise.all(chunks.map((chunk) => firstValueFrom(from(compress(chunk)))));
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

  it('zstd: a frame a chunk where Node has it, by the name and the ending of zstd', async () => {
    // A stand-in where this Node has none: a frame of one raw block (RFC 8878 §3.1.1).
    node.zstdCompress ??= (chunk, done) => {
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

  it('refuses zstd at the call where Node has none, and says what to do', () => {
    delete node.zstdCompress;
    const call = () => compressionOf('zstd');
    expect(call).toThrow(OptionError);
    expect(call).toThrow(
      `Expected \`compression\` 'zstd' to be supported by this Node, got Node ${process.versions.node}. ` +
        "Use Node 22.15 or later, or compression 'gzip'.",
    );
  });

  it('refuses other names', () => {
    expect(() => compressionOf('brotli' as never)).toThrow(
      "Expected `compression` to be one of 'none', 'gzip', 'zstd'",
    );
  });
});
