import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { type CompressionName, type Format, jsonLines } from 'rxflume';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { sequenceFile } from 'rxflume/formats';
import { firstValueFrom, from, lastValueFrom } from 'rxjs';
import { fresh, nameNode, services } from './support.js';

jest.setTimeout(60_000);

const fs = webhdfs({ nameNodes: [nameNode], user: 'flume' });
const root = `/lake/${fresh('text')}`;

/** Of texts short, empty, long and of all of Unicode; enough for several chunks, blocks and sync markers. */
type Row = (typeof ROWS)[number];
const ROWS = Array.from({ length: 20_000 }, (_, n) => ({
  n,
  text: n % 5 === 0 ? '' : `line ${n} é中😀 ${'x'.repeat(n === 7 ? 300_000 : n % 211)}`,
}));

/** Writes a file as the file sink does: chunk by chunk, each compressed by itself; small ones first, then large ones. */
async function write<T>(name: string, format: Format<T>, rows: readonly T[]): Promise<string> {
  const path = `${root}/${name}.${format.extension}`;
  const writer = fs.create(path);
  const encoder = format.encoder();
  const hand = async () => {
    const chunk = await firstValueFrom(from(format.compression.compress(encoder.take())));
    await lastValueFrom(from(writer.write(chunk)), { defaultValue: undefined });
  };
  let chunks = 0;
  for (const row of rows) {
    if (encoder.add(row) < (chunks < 5 ? 1_000 : 700_000)) continue;
    await hand();
    chunks += 1;
  }
  await hand();
  await firstValueFrom(from(writer.close()));
  return path;
}

/** What Hadoop's own reader shows of the files, one after the other. */
const shown = (paths: readonly string[]) => services('hdfs', '-text', ...paths);

afterAll(() => lastValueFrom(from(fs.remove(root)), { defaultValue: undefined }));

describe('Hadoop’s `-text` reads', () => {
  it('lines in every compression that needs no native library', async () => {
    const compressions: CompressionName[] = ['none', 'gzip', 'deflate', 'snappy'];
    const rows = (name: string) => ROWS.map((row) => ({ of: name, ...row }));
    const paths: string[] = [];
    for (const compression of compressions) {
      paths.push(await write(`lines-${compression}`, jsonLines({ compression }), rows(compression)));
    }
    const expected = compressions.flatMap((name) => rows(name).map((row) => `${JSON.stringify(row)}\n`));
    expect((await shown(paths)) === expected.join('')).toBe(true);
  });

  it('SequenceFiles in every compression, with sync markers and several blocks', async () => {
    const codecs = ['deflate', 'gzip', 'snappy'] as const;
    const ways = [
      { compression: 'none' as const },
      ...codecs.flatMap((codec) => (['record', 'block'] as const).map((compression) => ({ compression, codec }))),
    ];
    // A record at a time is compressed by itself: fewer are enough.
    const rows = ROWS.slice(0, 5_000);
    const paths: string[] = [];
    for (const [at, way] of ways.entries()) {
      const key = { writable: 'LongWritable' as const, of: ({ n }: Row) => BigInt(n) - 2n ** 62n };
      const value = { writable: 'Text' as const, of: ({ text }: Row) => text };
      paths.push(await write(`text-${at}`, sequenceFile({ key, value, ...way }), rows));
    }
    const expected = rows.map(({ n, text }) => `${BigInt(n) - 2n ** 62n}\t${text}\n`).join('');
    expect((await shown(paths)) === expected.repeat(ways.length)).toBe(true);
  });

  it('SequenceFiles of bytes without keys', async () => {
    const bytes = Array.from({ length: 300 }, (_, n) =>
      Buffer.from(Array.from({ length: n }, (_, at) => (at * n) % 256)),
    );
    const value = { writable: 'BytesWritable' as const, of: (one: Buffer) => one };
    const paths: string[] = [];
    for (const compression of ['none', 'record', 'block'] as const) {
      const codec = compression === 'none' ? {} : { codec: 'snappy' as const };
      paths.push(await write(`bytes-${compression}`, sequenceFile({ value, compression, ...codec }), bytes));
    }
    const expected = bytes.map((one) => `(null)\t${one.toString('hex').replace(/..(?=.)/g, '$& ')}\n`).join('');
    expect((await shown(paths)) === expected.repeat(3)).toBe(true);
  });
});
