import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { type CompressionName, type Format, jsonLines } from 'rxflume';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { avroFile, sequenceFile } from 'rxflume/formats';
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

  it('Avro files in every codec that its Avro has', async () => {
    const schema = {
      type: 'record',
      name: 'Row',
      fields: [
        { name: 'n', type: 'long', 'field-id': 1 },
        { name: 'text', type: ['null', 'string'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
        { name: 'day', type: { type: 'int', logicalType: 'date' } },
        { name: 'share', type: 'double' },
        { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
        { name: 'tags', type: { type: 'array', items: 'string' } },
        { name: 'counts', type: { type: 'map', values: 'int' } },
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['EVEN', 'ODD'] } },
        { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 } },
      ],
    } as const;
    const rows = ROWS.slice(0, 4_000).map(({ n, text }) => ({
      n: BigInt(n) * 2n ** 40n - 2n ** 60n,
      text: text === '' ? null : text,
      at: new Date(n * 1e9),
      day: n - 2_000,
      share: n / 7,
      price: `${n - 2_000}.25`,
      tags: [`${n}`, 'é中😀'].slice(n % 3),
      counts: { a: 1 - n, b: n },
      kind: n % 2 === 0 ? ('EVEN' as const) : ('ODD' as const),
      hash: Buffer.from([n % 256, 255]),
    }));
    const codecs = ['null', 'deflate', 'snappy'] as const;
    const paths: string[] = [];
    for (const codec of codecs) paths.push(await write(`avro-${codec}`, avroFile({ schema, codec }), rows));
    const lines = (await shown(paths)).trimEnd().split('\n');
    // Of the JSON form of Avro: bytes are Latin-1 texts, and the numbers of longs would be rounded by JSON.parse.
    const seen = lines.map((line) => {
      const [, n] = /^\{"n":(-?\d+),/.exec(line) ?? [];
      return { ...(JSON.parse(line) as object), n };
    });
    const expected = rows.map(({ n, text, at, price, hash, ...rest }) => ({
      ...rest,
      n: String(n),
      text: text === null ? null : { string: text },
      at: at.getTime() * 1_000,
      price: latin1Of(BigInt(price.replace('.', ''))),
      hash: hash.toString('latin1'),
    }));
    expect(seen.length).toBe(rows.length * codecs.length);
    for (const [at] of codecs.entries()) expect(seen.slice(at * rows.length, (at + 1) * rows.length)).toEqual(expected);
  });
});

/** A decimal's bytes as Java makes them of a BigInteger, as a text of Latin-1. */
function latin1Of(unscaled: bigint): string {
  const size = [1, 2, 3, 4].find((bytes) => BigInt.asIntN(bytes * 8, unscaled) === unscaled) as number;
  return Buffer.from(
    BigInt.asUintN(size * 8, unscaled)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  ).toString('latin1');
}
