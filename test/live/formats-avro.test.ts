import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AvroCodec, avroFile } from 'rxflume/formats';
import { root } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-avro-'));
let jar = '';

beforeAll(() => {
  jar = execFileSync(`${root}scripts/readers`, ['avro-tools'], { encoding: 'utf8' }).trim();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

const schema = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'n', type: 'long' },
    { name: 'text', type: ['null', 'string'], default: null },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'share', type: 'double' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['EVEN', 'ODD'] } },
  ],
} as const;
const ROWS = Array.from({ length: 4_000 }, (_, n) => ({
  n,
  text: n % 5 === 0 ? null : `line ${n} é中😀 ${'x'.repeat(n % 211)}`,
  at: n * 1e9,
  share: n / 7,
  tags: [`${n}`, 'é中😀'].slice(n % 3),
  kind: n % 2 === 0 ? ('EVEN' as const) : ('ODD' as const),
}));
const hasZstd = Number(process.versions.node.split('.')[0]) >= 23;

describe('Apache’s Avro for Java reads', () => {
  it.each<AvroCodec>(['null', 'deflate', 'snappy', ...(hasZstd ? (['zstd'] as const) : [])])(
    'blocks of codec %s, and the schema',
    (codec) => {
      const encoder = avroFile({ schema, codec }).encoder();
      const chunks: Uint8Array[] = [];
      for (const row of ROWS) if (encoder.add(row) > 50_000) chunks.push(encoder.take());
      chunks.push(encoder.take());
      expect(chunks.length).toBeGreaterThan(5);
      const file = join(folder, `${codec}.avro`);
      writeFileSync(file, Buffer.concat(chunks));
      const tools = (...args: string[]) =>
        execFileSync('java', ['-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', '-jar', jar, ...args], {
          maxBuffer: 2 ** 28,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        });
      const read = tools('tojson', file).trimEnd().split('\n');
      const expected = ROWS.map(({ text, ...rest }) => ({ ...rest, text: text === null ? null : { string: text } }));
      expect(read.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
      expect(JSON.parse(tools('getschema', file))).toMatchObject({
        name: 'Row',
        fields: schema.fields.map(({ name }) => ({ name })),
      });
    },
    120_000,
  );
});
