import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { crc32c } from '../../../src/drivers/kafkajs/records/crc32c.js';
import type { KafkaBatch } from '../../../src/ports/kafka-consumer.js';
import { leastCpuMs } from '../../support/cpu-time.js';
import { decoding, MAX_BATCH_BYTES } from './decoding.js';
import { type MadeLog, madeLog } from './made-log.js';
import { batchOf, encodeBatch, encodeRecord, type MadeBatch, varint } from './record-batches.js';

const lean = decoding('lean');
const stock = decoding('kafkajs');
const checking = decoding('lean', true);

const three = ['a', 'bb', 'ccc'].map((value) => ({ value: Buffer.from(value) }));
const good = batchOf(three);
const goodBody = Buffer.concat(good.records.map(encodeRecord));
const withHeader = (at: number, value: number) => {
  const bytes = encodeBatch(good);
  bytes.writeInt32BE(value, at);
  return bytes;
};
const bodyOf = (...record: number[]) => encodeBatch(batchOf([{}]), Buffer.from(record));
const sized = (...fields: number[]) => [...varint(fields.length), ...fields];
const offsetsOf = (...deltas: number[]) =>
  encodeBatch({
    ...batchOf(deltas.map((offsetDelta) => ({ offsetDelta }))),
    lastOffsetDelta: 2,
  });

const int32 = (value: number) => [value >> 24, value >> 16, value >> 8, value].map((byte) => byte & 0xff);
const oldMessage = (body: Buffer) =>
  Buffer.concat([Buffer.from([...int32(0), ...int32(0), ...int32(body.length + 4), ...int32(crc32(body))]), body]);

describe('corrupt bytes', () => {
  it.each<[string, Buffer]>([
    ['a count of 2^31 − 1 in a small batch', withHeader(57, 2 ** 31 - 1)],
    ['as many in a batch that spans them', encodeBatch({ ...good, lastOffsetDelta: 2 ** 31 - 1, count: 2 ** 31 - 1 })],
    ['a negative count', withHeader(57, -1)],
    ['a negative count and nothing else', encodeBatch(batchOf([], { count: -1 }))],
    ['one record less than there are', withHeader(57, 2)],
    ['one record more than there are', encodeBatch({ ...good, lastOffsetDelta: 9, count: 4 })],
    ['bytes after the last record', encodeBatch(good, Buffer.concat([goodBody, Buffer.from([0])]))],
    ['a batch with a negative length', withHeader(8, -1)],
    ['a batch whose length is the least there is', withHeader(8, -(2 ** 31))],
    ['a batch shorter than its header', withHeader(8, 20)],
    ['a batch longer than what was sent', withHeader(8, 2 ** 31 - 1)],
    ['a last offset before the first', withHeader(23, -1)],
    ['an empty batch that ends before it begins', encodeBatch(batchOf([], { firstOffset: 5, lastOffsetDelta: -3 }))],
    ['a negative first offset', withHeader(0, -(2 ** 31))],
    ['a first offset no number can hold', withHeader(0, 2 ** 30)],
    ['an unknown codec', encodeBatch({ ...good, codec: 6 as MadeBatch['codec'] })],
    ['an unknown format', Buffer.concat([encodeBatch(good).fill(3, 16, 17)])],
    ['a negative format', Buffer.concat([encodeBatch(good).fill(0x82, 16, 17)])],
    ['a format that nobody writes any more, of what is none', Buffer.concat([encodeBatch(good).fill(1, 16, 17)])],
    ['a record with a negative length', bodyOf(...varint(-5))],
    ['a record longer than the batch', bodyOf(...varint(100), 0, 0, 0, 1, 1, 0)],
    ['a record longer than its fields', bodyOf(...sized(0, 0, 0, 1, 1, 0, 0))],
    ['a record shorter than its fields', bodyOf(...varint(5), 0, 0, 0, 1, 1, 0)],
    ['a record of length 0', bodyOf(0)],
    ['a key beyond the record', bodyOf(...sized(0, 0, 0, ...varint(50), 1, 0))],
    ['a key of 2^62 bytes', bodyOf(...sized(0, 0, 0, ...varint(2 ** 62), 1, 0))],
    ['a key of −2 bytes', bodyOf(...sized(0, 0, 0, 3, 1, 0))],
    ['a value beyond the record', bodyOf(...sized(0, 0, 0, 1, ...varint(50), 0))],
    ['a value of −2 bytes', bodyOf(...sized(0, 0, 0, 1, 3, 0))],
    ['2^31 headers', bodyOf(...sized(0, 0, 0, 1, 1, ...varint(2 ** 31)))],
    ['−1 headers', bodyOf(...sized(0, 0, 0, 1, 1, ...varint(-1)))],
    ['a header without a name', bodyOf(...sized(0, 0, 0, 1, 1, ...varint(1), ...varint(-1), 1))],
    ['a header beyond the record', bodyOf(...sized(0, 0, 0, 1, 1, ...varint(1), 2, 97, ...varint(9)))],
    ['a number that does not end', bodyOf(...Array<number>(12).fill(0x80))],
    ['an offset twice', offsetsOf(0, 1, 1)],
    ['an offset that goes back', offsetsOf(1, 0, 2)],
    ['a negative offset', offsetsOf(-1, 0, 1)],
    ['an offset beyond the last', offsetsOf(0, 1, 3)],
  ])('%s is rejected, at once', async (_what, bytes) => {
    const read = () => expect(lean.read(bytes, 0)).rejects.toThrow();
    expect(await leastCpuMs(100, read)).toBeLessThan(100);
  });

  it('a batch that is longer than all that was sent is not asked for again and again', async () => {
    await expect(lean.read(encodeBatch(good).subarray(0, 70), 0)).rejects.toThrow('no whole batch');
    await expect(stock.read(encodeBatch(good).subarray(0, 70), 0)).rejects.toThrow('no whole batch');
  });

  it('a length in an old message that goes backwards does not go round forever', async () => {
    const inner = oldMessage(Buffer.from([0, 0, ...int32(-26), ...int32(-1)]));
    const gzipped = gzipSync(inner);
    const outer = oldMessage(Buffer.concat([Buffer.from([0, 1, ...int32(-1), ...int32(gzipped.length)]), gzipped]));
    await expect(lean.read(outer, 0)).rejects.toThrow('a length is -26');
  });

  it('what comes before a corrupt batch is taken, and then it is first', async () => {
    const bad = encodeBatch({ ...batchOf(three), firstOffset: 3, count: 2 });
    const batch = await lean.read(Buffer.concat([encodeBatch(good), bad]), 1);
    expect([Array.from(batch?.records ?? [], ({ offset }) => offset), batch?.nextOffset, batch?.byteLength]).toEqual([
      [1, 2],
      3,
      5,
    ]);
    await expect(lean.read(bad, 3)).rejects.toThrow('longer than its records');
    const overlapping = encodeBatch({ ...good, firstOffset: 2 });
    expect((await lean.read(Buffer.concat([encodeBatch(good), overlapping]), 0))?.nextOffset).toBe(3);
  });

  it('what lies before the position only is rejected: asking again would bring it once more', async () => {
    await expect(lean.read(encodeBatch(good), 3)).rejects.toThrow('it ends before 3');
  });

  it('of any kind gives an error or sound records, soon, and takes no memory for what it only claims', async () => {
    const extremes = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 0x7f7f7f7f, 61, 49];
    const damage = fc.record({
      flips: fc.array(fc.nat(), { maxLength: 4 }),
      words: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...extremes)), { maxLength: 2 }),
      runs: fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 0x7f, 0x80, 0xff)), { maxLength: 1 }),
      keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    let rejected = 0;
    let slowest = 0;
    const before = memory();
    const property = fc.asyncProperty(madeLog, damage, async (log, { flips, words, runs, keep }) => {
      const whole = Buffer.concat(log.batches.map((one) => encodeBatch(one)));
      const bytes = Buffer.from(whole.subarray(0, 1 + Math.floor((whole.length - 1) * keep)));
      for (const flip of flips) {
        const at = flip % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (flip % 8));
      }
      for (const [at, word] of words) if (bytes.length > 4) bytes.writeInt32BE(word, at % (bytes.length - 4));
      for (const [at, byte] of runs)
        bytes
          .subarray(at % bytes.length)
          .subarray(0, 12)
          .fill(byte);
      const read = async () => {
        const batch = await lean.read(bytes, log.position, log.aborted).catch((error: unknown) => {
          // zlib's errors are of another realm under Jest.
          if (typeof (error as Error).message !== 'string') throw error;
          rejected += 1;
          return null;
        });
        if (batch !== null) expectSound(batch, log);
      };
      slowest = Math.max(slowest, await leastCpuMs(500, read));
    });
    await fc.assert(property, { numRuns: 3_000 });
    expect(rejected).toBeGreaterThan(500);
    expect(slowest).toBeLessThan(500);
    expect(memory() - before).toBeLessThan(256 << 20);
  }, 60_000);
});

function memory(): number {
  const { heapUsed, arrayBuffers } = globalThis.process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function expectSound({ records, nextOffset, byteLength }: KafkaBatch, { position }: MadeLog): void {
  let before = position - 1;
  let sum = 0;
  for (const { offset, key, value, headers, timestamp, byteLength: length } of records) {
    if (offset <= before || offset >= nextOffset) throw new Error(`${offset} after ${before}, before ${nextOffset}`);
    if (length !== (key?.length ?? 0) + (value?.length ?? 0)) throw new Error(`${offset} is not ${length} bytes long`);
    if (!Number.isFinite(timestamp) || typeof headers !== 'object') throw new Error(`${offset} is no record`);
    before = offset;
    sum += length;
  }
  if (sum !== byteLength || sum > 5 * MAX_BATCH_BYTES) throw new Error(`${sum} bytes instead of ${byteLength}`);
}

describe('crc32c', () => {
  // Source: RFC 3720, B.4, and the usual check value of the nine digits.
  it.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['\0'.repeat(32), 0x8a9136aa],
    ['\xff'.repeat(32), 0x62a8ab43],
    [Array.from({ length: 32 }, (_, at) => String.fromCharCode(at)).join(''), 0x46dd794e],
    [Array.from({ length: 32 }, (_, at) => String.fromCharCode(31 - at)).join(''), 0x113fdb5c],
    ['a', 0xc1d04330],
  ])('of %j', (text, crc) => {
    expect(crc32c(Buffer.from(text, 'latin1'))).toBe(crc);
  });

  it("is what kafkajs's encoder writes", async () => {
    const records = [lean.makeRecord({ value: 'abc' }), lean.makeRecord({ offsetDelta: 1, value: 'defgh' })];
    const { buffer } = await lean.makeBatch({ firstOffset: 0, lastOffsetDelta: 1, records });
    expect((await checking.read(buffer, 0))?.records).toHaveLength(2);
  });

  it('checked, it finds every flipped bit from the attributes on; unchecked, one in a value passes', async () => {
    const bytes = encodeBatch(good);
    for (let bit = 17 * 8; bit < bytes.length * 8; bit += 1) {
      const bad = Buffer.from(bytes);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(checking.read(bad, 0)).rejects.toThrow('its CRC is wrong');
    }
    const bad = Buffer.from(bytes);
    bad.write('z', bad.indexOf('bb'));
    expect(String((await lean.read(bad, 0))?.records.at(1)?.value)).toBe('zb');
    expect(await checking.read(bytes, 0)).not.toBeNull();
  });
});
