import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { Bunzip2 } from '../../../src/formats/inflate/bunzip2.js';
import { csvRecords } from '../../../src/sources/file/csv-records.js';
import type { FileSourceOptions } from '../../../src/sources/file/file-options.js';
import { fileSource } from '../../../src/sources/file/file-source.js';
import { lineRecords } from '../../../src/sources/file/line-records.js';
import { wholeFile } from '../../../src/sources/file/whole-file.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

function start(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<FileSourceOptions<Buffer>> & Pick<FileSourceOptions<Buffer>, 'files'>,
) {
  const fs = memoryFileSystem();
  for (const [path, content] of Object.entries(files)) fs.put(path, content);
  const monitor = new Monitor();
  const source = fileSource(fs, { name: 'test', records: lineRecords(), monitor, ...options });
  const run = new SourceRun(source);
  return Object.assign(run, { fs, source, monitor, values: () => run.seen.map(({ value }) => String(value)) });
}

/** All that a source gives, each acked at once. */
async function read(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<FileSourceOptions<Buffer>> & Pick<FileSourceOptions<Buffer>, 'files'>,
): Promise<string[]> {
  const { source, leave } = start(files, options);
  leave();
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    source.subscribe({
      next: (delivery) => {
        seen.push(String(delivery.value));
        delivery.ack();
      },
      error: reject,
      complete: resolve,
    });
  });
  return seen;
}

/** Two streams of bzip2, of 50 lines `hello` and of `world`, as Python writes them. */
const BZIP2 = Buffer.from(
  'QlpoOTFBWSZTWYz7fusAAErBAAAQAkSgACClRgZoNRYi+ixFpFwu5IpwoSEZ9v3WQlpoOTFBWSZTWVnOe8sAAAIBgAQEkIAgADDNAMGkwHF3JFOFCQWc57yw',
  'base64',
);

describe('fileSource', () => {
  it('reads the files that paths and patterns name, each once and in order, and completes when all is acked', () => {
    const files = { '/d/b.log': 'b\n', '/d/a.log': 'a\n', '/d/e/c.log': 'c', '/d/x.txt': 'x', '/one': '1\n2' };
    const run = start(files, { files: ['/one', '/d/*.log', '/d/**/?.log'] });
    expect(run.values()).toEqual(['1', '2', 'a', 'b', 'c']);
    expect(run.ended).toBe('');
    for (const delivery of run.seen) delivery.ack();
    expect(run.ended).toBe('complete');
    expect(Object.keys(run.fs.files())).toHaveLength(5);
  });

  it('completes at once where a pattern matches nothing, and fails where a path does', () => {
    expect(start({}, { files: ['/d/*.log'] }).ended).toBe('complete');
    const run = start({}, { files: ['/d/a.log'] });
    expect(run.end).toBe('error RXF_SOURCE_FILES');
    expect(run.error?.message).toContain('There is no file /d/a.log');
  });

  it('fails at a file that cannot be read, once what is out is settled, or skips it', () => {
    const files = { '/a': 'x\ntoo long\ny\n', '/b': 'z\n' };
    const records = lineRecords({ maxBytes: 2 });
    const run = start(files, { files: ['/a', '/b'], records });
    expect(run.values()).toEqual(['x']);
    run.seen[0]?.ack();
    expect(run.end).toBe('error RXF_SOURCE_FILE');
    const skipping = start(files, { files: ['/a', '/b'], records, badFile: 'skip' });
    expect(skipping.values()).toEqual(['x', 'z']);
    for (const delivery of skipping.seen) delivery.ack();
    expect([skipping.ended, skipping.monitor.total('rxflume_source_stopped_files_total')]).toEqual(['complete', 1]);
  });

  it('fails at a file that is changed while it is read', () =>
    inVirtualTime((at) => {
      const run = start({ '/a': 'x\ny\n' }, { files: ['/a'] });
      at(10, () => {
        run.fs.put('/a', 'x\n', true);
        for (const delivery of run.seen) delivery.ack();
        expect(run.end).toBe('error RXF_SOURCE_FILE_CHANGED');
      });
    }));

  it('fails at a file whose reader throws at once, and throws nothing itself', () => {
    const run = start({ '/a': 'long' }, { files: ['/a'], records: wholeFile({ maxBytes: 2 }) });
    expect(run.end).toBe('error RXF_SOURCE_FILE');
    expect(run.error?.message).toContain('more than `maxBytes`');
  });

  it('gives the same records however the bytes are cut into chunks', () => {
    const text = 'a,"1\n2"\r\nb,""""\n\nc,"x\r\ny"\n'.repeat(30);
    for (const records of [lineRecords(), csvRecords({ hasHeader: false }), wholeFile()]) {
      const whole = recordsOf(records, [Buffer.from(text)]);
      for (const size of [1, 2, 3, 7, 100]) {
        const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
          text.slice(n * size, (n + 1) * size),
        );
        expect(
          recordsOf(
            records,
            chunks.map((chunk) => Buffer.from(chunk)),
          ),
        ).toEqual(whole);
      }
    }
  });

  it('cuts and shortens long lines where it is asked to', () => {
    const of = (tooLong: 'cut' | 'shorten') =>
      recordsOf(lineRecords({ maxBytes: 3, tooLong }), [Buffer.from('abcdefgh\nij\n')]);
    expect(of('cut')).toEqual(['abc', 'def', 'gh', 'ij']);
    expect(of('shorten')).toEqual(['abc', 'ij']);
  });

  it('fails at a record of CSV whose quote has no end', () => {
    const records = csvRecords({ hasHeader: false, maxBytes: 20 });
    expect(() => recordsOf(records, [Buffer.from(`a\n"b${'\n'.repeat(30)}`)])).toThrow('Record 2 of CSV has more than');
  });
});

describe('fileSource, compressed', () => {
  it('decompresses by the extension: gzip of several members, deflate, bzip2 of several streams', async () => {
    const gzip = Buffer.concat([zlib.gzipSync('a\nb'), zlib.gzipSync('c\n')]);
    expect(await read({ '/x.gz': gzip }, { files: ['/x.gz'] })).toEqual(['a', 'bc']);
    expect(await read({ '/x.deflate': zlib.deflateSync('a\n') }, { files: ['/x.deflate'] })).toEqual(['a']);
    const lines = await read({ '/x.bz2': BZIP2 }, { files: ['/x.bz2'] });
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([51, 'hello', 'world']);
  });

  it('reads a large file as it is taken: what is inflated does not wait in memory', async () => {
    const line = `${'x'.repeat(1_000)}\n`;
    const lines = await read(
      { '/x.gz': zlib.gzipSync(line.repeat(3_000)) },
      { files: ['/x.gz'], window: { count: 10 } },
    );
    expect(lines).toHaveLength(3_000);
  });

  it('stops at `maxFileBytes`, and at what is cut off or damaged', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(2_000_000, 'x\n'));
    const error = async (path: string, bytes: Uint8Array) => {
      const { code, message } = await read({ [path]: bytes }, { files: [path], maxFileBytes: 100_000 }).catch(
        (caught) => caught,
      );
      return `${code} ${message}`;
    };
    expect(await error('/x.gz', bomb)).toMatch(
      /RXF_SOURCE_FILE .*decompresses to more than `maxFileBytes`, which is 100000/,
    );
    expect(await error('/x.gz', zlib.gzipSync('a\nb\n').subarray(0, 15))).toMatch(
      /RXF_SOURCE_FILE .*gzip data is damaged/,
    );
    expect(await error('/x.gz', Buffer.from('plain'))).toMatch(/RXF_SOURCE_FILE .*gzip data is damaged/);
    expect(await error('/x.bz2', BZIP2.subarray(0, 60))).toMatch(/ends within a block/);
    const damaged = Buffer.from(BZIP2);
    damaged.writeUInt8(damaged.readUInt8(30) ^ 1, 30);
    expect(await error('/x.bz2', damaged)).toMatch(/bzip2 data is damaged/);
  });

  it('decodes bzip2 however it is cut into chunks', () => {
    for (const size of [1, 2, 5, 31]) {
      const decoder = new Bunzip2();
      const blocks: Buffer[] = [];
      for (let at = 0; at < BZIP2.length; at += size) {
        decoder.push(BZIP2.subarray(at, at + size));
        for (let block = decoder.next(); block !== undefined; block = decoder.next()) blocks.push(block);
      }
      decoder.end();
      expect(Buffer.concat(blocks).toString()).toBe(`${'hello\n'.repeat(50)}world`);
    }
  });
});

function recordsOf(records: ReturnType<typeof lineRecords>, chunks: readonly Buffer[]): string[] {
  const reader = records.open();
  const seen: string[] = [];
  for (const chunk of chunks) for (const { value } of reader.push(chunk)) seen.push(String(value));
  for (const { value } of reader.end()) seen.push(String(value));
  return seen;
}
