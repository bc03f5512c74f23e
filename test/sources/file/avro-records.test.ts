import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { of } from 'rxjs';
import { DecodeError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { avroFile } from '../../../src/formats/avro-file.js';
import { avroRecords } from '../../../src/sources/file/avro-records.js';
import { fileSource } from '../../../src/sources/file/file-source.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { SourceRun } from '../../support/source-run.js';

const SCHEMA = {
  type: 'record',
  name: 'Message',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'text', type: ['null', 'string'], default: null },
  ],
} as const;

const messages = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, text: id % 3 === 0 ? null : `é${id}` }));

function fileOf(count: number, codec: 'null' | 'deflate' | 'snappy' = 'null', perBlock = 7): Buffer {
  const encoder = avroFile({ schema: SCHEMA, codec }).encoder();
  const chunks: Uint8Array[] = [];
  for (const [at, message] of messages(count).entries()) {
    encoder.add(message);
    if (at % perBlock === perBlock - 1) chunks.push(encoder.take());
  }
  return Buffer.concat([...chunks, encoder.take()]);
}

/** What a reader makes of chunks. */
function read(chunks: readonly Buffer[], records = avroRecords()): unknown[] {
  const reader = records.open();
  return [...chunks.flatMap((chunk) => [...reader.push(chunk)]), ...reader.end()].map(({ value }) => value);
}

const cut = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));

/** The error of a call. */
function errorOf(call: () => unknown): (Error & { readonly code?: string }) | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe('avroRecords', () => {
  it.each(['null', 'deflate', 'snappy'] as const)('reads what avroFile writes with %s, however it is cut', (codec) => {
    const file = fileOf(40, codec);
    for (const size of [1, 2, 5, 64, 1_000, file.length]) expect(read(cut(file, size))).toEqual(messages(40));
  });

  it('reads what another library writes, of any codec it has', async () => {
    for (const codec of ['null', 'deflate'] as const) {
      const encoder = new avsc.streams.BlockEncoder(SCHEMA as never, { codec, blockSize: 64 } as never);
      const chunks: Buffer[] = [];
      encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = new Promise((resolve) => encoder.on('end', resolve));
      for (const message of messages(30)) encoder.write(message);
      encoder.end();
      await ended;
      expect(read(chunks)).toEqual(messages(30));
    }
  });

  it('reads blocks that zstd wrote', () => {
    // The one block of `fileOf(20)`, by `zstd -19`.
    const zstd =
      'KLUv/QBodQIAZAMAAAICBsOpMQQyBgAINAo1DAAONxA4EgAUAgjDqTEwFjEYABozHDQeACA2IjckACYCCMOpMTkKKBCYwQMQmA9iEmIqkTcGAZ4k4R8B';
    const plain = fileOf(20, 'null', 20);
    const sync = plain.subarray(-16);
    const header = plain.toString('latin1', 0, plain.indexOf(sync) + 16).replace('\u0008null', '\u0012zstandard');
    const block = Buffer.from(zstd, 'base64');
    // 20 values, and the length of the block, as varints.
    const lengths = Buffer.from([40, ((block.length * 2) & 0x7f) | 0x80, block.length >> 6]);
    const file = Buffer.concat([Buffer.from(header, 'latin1'), lengths, block, sync]);
    for (const size of [1, 50, file.length]) expect(read(cut(file, size))).toEqual(messages(20));
    block[0] = 0;
    const damaged = Buffer.concat([Buffer.from(header, 'latin1'), lengths, block, sync]);
    expect(errorOf(() => read([damaged]))?.message).toContain('cannot be inflated as zstandard');
  });

  it('reads values as `readerSchema` has them, and names a file that it cannot read', () => {
    const fields = [
      { name: 'id', type: 'double' },
      { name: 'lang', type: 'string', default: 'en' },
    ] as const;
    const records = avroRecords({ readerSchema: { type: 'record', name: 'Message', fields } });
    expect(read([fileOf(2)], records as never)).toEqual([
      { id: 0, lang: 'en' },
      { id: 1, lang: 'en' },
    ]);
    const error = errorOf(() => read([fileOf(2)], avroRecords({ readerSchema: 'int' }) as never));
    expect(error?.message).toContain('The schema of the file cannot be used');
    expect(() => avroRecords({ readerSchema: 'no type' as never })).toThrow('`readerSchema`');
  });

  it('says which byte or record of a damaged file is wrong', () => {
    const file = fileOf(20);
    const wrong = (bytes: Buffer) => errorOf(() => read([bytes]));
    expect(wrong(Buffer.from('{"id":1}'))?.message).toContain('its beginning is not `Obj` and 1, at byte 0');
    expect(wrong(file.subarray(0, 30))?.message).toContain('its header is cut off, at byte 30');
    expect(wrong(file.subarray(0, -3))?.message).toContain(`a block of it is cut off, at byte ${file.length - 3}`);
    expect(wrong(Buffer.alloc(0))?.message).toContain('its header is cut off, at byte 0');
    const unsynced = Buffer.from(file);
    unsynced[file.length - 1] = (file.at(-1) as number) ^ 1;
    expect(wrong(unsynced)?.message).toContain('the marker behind a block is not that of the file');
    const snappy = fileOf(20, 'snappy');
    snappy[snappy.length - 17] = (snappy.at(-17) as number) ^ 1;
    expect(wrong(snappy)?.message).toContain('cannot be inflated as snappy: its checksum is wrong');
    const unknown = Buffer.from(file.toString('latin1').replace('\u0008null', '\u0008lzma'), 'latin1');
    expect(wrong(unknown)?.message).toContain('known are null, deflate, snappy and zstandard');
  });

  it('bounds a block, as stored and as inflated', () => {
    const stored = errorOf(() => read([fileOf(1_000, 'null', 1_000)], avroRecords({ maxBytes: 500 })));
    const inflated = errorOf(() => read([fileOf(1_000, 'deflate', 1_000)], avroRecords({ maxBytes: 4_000 })));
    expect([stored?.code, inflated?.code]).toEqual(['RXF_DECODE_TOO_LARGE', 'RXF_DECODE_TOO_LARGE']);
  });

  it('gives records or a DecodeError for any bytes', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(200),
        (flips, size) => {
          const file = fileOf(15, 'deflate');
          for (const [at, byte] of flips) file[at % file.length] = byte;
          const error = errorOf(() => read(cut(file, size + 1)));
          expect(error === undefined || error instanceof DecodeError).toBe(true);
        },
      ),
      { numRuns: 200 },
    ));
});

describe('fileSource of Avro files', () => {
  it('resumes in the middle of a block, and stops only the file that is damaged', () => {
    const fs = memoryFileSystem();
    fs.put('/a.avro', fileOf(20));
    fs.put('/b.avro', fileOf(20).subarray(0, 150));
    fs.put('/c.avro', fileOf(3));
    const monitor = new Monitor();
    const resumeFrom = (streams: readonly string[]) => of(new Map(streams.map((stream) => [stream, 9])));
    const options = { name: 't', files: ['/a.avro'], records: avroRecords(), monitor };
    const resumed = new SourceRun(fileSource(fs, { ...options, resumeFrom }));
    expect(resumed.seen.map(({ value, origin }) => [value, origin.offset])).toEqual(
      messages(20)
        .slice(9)
        .map((message) => [message, message.id]),
    );
    resumed.leave();
    const run = new SourceRun(fileSource(fs, { ...options, files: ['/b.avro', '/c.avro'], badFile: 'skip' }));
    for (const delivery of run.seen) delivery.ack();
    expect(run.ended).toBe('complete');
    expect(run.seen.slice(-3).map(({ value }) => value)).toEqual(messages(3));
    expect(monitor.total('rxflume_source_stopped_files_total')).toBe(1);
  });
});
