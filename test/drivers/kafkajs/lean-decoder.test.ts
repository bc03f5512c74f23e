import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { KafkaBatch, KafkaRecord } from '../../../src/ports/kafka-consumer.js';
import { decoding } from './decoding.js';
import { type MadeLog, madeLog } from './made-log.js';
import { batchOf, encodeBatch, type MadeBatch, type MadeRecord } from './record-batches.js';

const lean = decoding('lean');
const stock = decoding('kafkajs');

/** As kafkajs's own encoder writes it, or undefined where it cannot. */
async function byKafkajs(batch: MadeBatch): Promise<Buffer | undefined> {
  const { firstOffset, lastOffsetDelta, firstTimestamp, maxTimestamp, producerId, codec } = batch;
  const isPlain = !batch.isControl && !batch.isAppendTime && codec !== 4 && batch.records.length > 0;
  if (!isPlain || batch.records.some(({ headers }) => headers.length > 1 || headers[0]?.[1] === null)) return undefined;
  const records = batch.records.map(({ headers, ...record }) =>
    stock.makeRecord({ ...record, headers: Object.fromEntries(headers) }),
  );
  const transaction = producerId === null ? {} : { producerId, transactional: true };
  const given = { firstOffset, lastOffsetDelta, firstTimestamp, maxTimestamp, records, compression: codec };
  return (await stock.makeBatch({ ...given, ...transaction })).buffer;
}

async function encodeLog({ batches, byKafkajs: wanted, cut }: MadeLog): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const [at, batch] of batches.entries())
    parts.push((wanted[at] ? await byKafkajs(batch) : undefined) ?? encodeBatch(batch));
  const last = parts.pop() as Buffer;
  const left = cut === 0 || parts.length === 0 ? last.length : Math.floor((last.length - 1) * (1 - cut));
  return Buffer.concat([...parts, last.subarray(0, left)]);
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('latin1'));

function shown(record: Pick<KafkaRecord, 'offset' | 'timestamp' | 'key' | 'value' | 'headerList' | 'byteLength'>) {
  const headers = record.headerList.map(([name, value]) => [name, text(value)]);
  const { offset, timestamp, key, value, byteLength } = record;
  return [offset, timestamp, text(key), text(value), headers, byteLength];
}

const shownBatch = (batch: KafkaBatch | null) =>
  batch && [Array.from(batch.records, shown), batch.nextOffset, batch.byteLength, batch.highWatermark];

/** What the log says itself, by the rules and not by a decoder. */
function expected({ batches, abortedBatches, position, cut }: MadeLog, by: 'lean' | 'stock') {
  const whole = cut === 0 || batches.length === 1 ? batches : batches.slice(0, -1);
  const records = whole
    .filter((batch) => !batch.isControl && !abortedBatches.has(batch))
    .flatMap((batch) =>
      batch.records.map((record) => ({
        offset: batch.firstOffset + record.offsetDelta,
        timestamp: timestampOf(batch, record, by),
        key: record.key,
        value: record.value,
        byteLength: (record.key?.length ?? 0) + (record.value?.length ?? 0),
        headerList: record.headers,
      })),
    )
    .filter(({ offset }) => offset >= position);
  const last = whole.at(-1) as MadeBatch;
  const sum = records.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  return [records.map(shown), last.firstOffset + last.lastOffsetDelta + 1, sum, 99];
}

/** The nearest number to what Java's `long` would be, which wraps around at its ends where kafkajs does not. */
function timestampOf(batch: MadeBatch, { timestampDelta }: MadeRecord, by: 'lean' | 'stock') {
  const { isAppendTime, firstTimestamp, maxTimestamp } = batch;
  if (isAppendTime) return Number(maxTimestamp);
  const exact = BigInt(firstTimestamp) + BigInt(timestampDelta);
  return Number(by === 'lean' ? BigInt.asIntN(64, exact) : exact);
}

describe('the lean decoder', () => {
  it("reads of any log what is in it, and what kafkajs's own decoder reads", async () => {
    let cases = 0;
    const property = fc.asyncProperty(madeLog, async (log) => {
      cases += 1;
      const bytes = await encodeLog(log);
      expect(shownBatch(await lean.read(bytes, log.position, log.aborted))).toEqual(expected(log, 'lean'));
      expect(shownBatch(await stock.read(bytes, log.position, log.aborted))).toEqual(expected(log, 'stock'));
    });
    await fc.assert(property, { numRuns: 1_200 });
    expect(cases).toBeGreaterThanOrEqual(1_200);
  }, 30_000);

  it('reads the times of good records beside one whose producer sent nanoseconds', async () => {
    const first = 1_795_741_254_656_123_457n;
    const good = 1_795_741_254_656n;
    const records = [{}, { timestampDelta: good - first }, { timestampDelta: 1n }];
    const bytes = encodeBatch(batchOf(records, { firstTimestamp: first }));
    for (const { read } of [lean, stock]) {
      const batch = await read(bytes, 0);
      expect(Array.from(batch?.records ?? [], ({ timestamp }) => timestamp)).toEqual([
        Number(first),
        Number(good),
        Number(first + 1n),
      ]);
    }
  });

  it('keeps headers whose names an object has already', async () => {
    const headers = ['__proto__', 'constructor', 'toString'].map((name) => [name, Buffer.from(name)] as const);
    const batch = await lean.read(encodeBatch(batchOf([{ headers }])), 0);
    expect(Object.entries(batch?.records.at(0)?.headers ?? {}).map(([name, value]) => [name, String(value)])).toEqual(
      headers.map(([name]) => [name, name]),
    );
  });

  it('reads what was written before Kafka 0.11, and checks it', async () => {
    const message = (magic: number, offset: number) => {
      const time = magic === 0 ? [] : [0, 0, 0, 0, 0, 0, 0, 5];
      const body = Buffer.from([magic, 0, ...time, 0, 0, 0, 1, 107, 0, 0, 0, 2, 118, 48 + offset]);
      const head = Buffer.alloc(16);
      head.writeBigInt64BE(BigInt(offset));
      head.writeInt32BE(body.length + 4, 8);
      head.writeUInt32BE(crc32(body), 12);
      return Buffer.concat([head, body]);
    };
    const bytes = Buffer.concat([message(0, 3), message(1, 4)]);
    const wanted = [
      [3, -1, 'k', 'v3', [], 3],
      [4, 5, 'k', 'v4', [], 3],
    ];
    for (const { read } of [lean, stock]) {
      expect(shownBatch(await read(bytes, 3))).toEqual([wanted, 5, 6, 99]);
      expect((await read(Buffer.concat([bytes, encodeBatch(batchOf([{}], { firstOffset: 5 }))]), 3))?.nextOffset).toBe(
        5,
      );
      await expect(read(Buffer.from(bytes).fill(9, 28, 29), 3)).rejects.toThrow('CRC');
    }
  });

  it.each([
    ['the producers', 0, [7, 8, 9], [1, 2, 3]],
    ['the broker', 8, [7, 8, 9], [44, 44, 44]],
    ['the broker, compacted since', 8, [7, 9], [44, 44]],
  ])('reads a compressed set from before Kafka 0.11 with the time of %s', async (_, flag, offsets, times) => {
    const message = (offset: number, time: number, attributes: number, value: Buffer) => {
      const body = Buffer.alloc(18 + value.length);
      body.writeInt8(1);
      body.writeInt8(attributes, 1);
      body.writeBigInt64BE(BigInt(time), 2);
      body.writeInt32BE(-1, 10);
      body.writeInt32BE(value.length, 14);
      value.copy(body, 18);
      const head = Buffer.alloc(16);
      head.writeBigInt64BE(BigInt(offset));
      head.writeInt32BE(body.length + 4, 8);
      head.writeUInt32BE(crc32(body), 12);
      return Buffer.concat([head, body]);
    };
    // Within, offsets count from 0; the message around has the offset of the last.
    const inner = offsets.map((offset) => message(offset - 7, offset - 6, 0, Buffer.from(`v${offset}`)));
    const set = message(9, 44, 1 | flag, gzipSync(Buffer.concat(inner)));
    const bytes = Buffer.concat([set, message(10, 50, flag, Buffer.from('v10'))]);
    for (const { read } of [lean, stock]) {
      const batch = await read(bytes, 7);
      const seen = [...(batch?.records ?? [])].map(({ offset, timestamp, value }) => [
        offset,
        timestamp,
        String(value),
      ]);
      const wanted = offsets.map((offset, at) => [offset, times[at], `v${offset}`]);
      expect([seen, batch?.nextOffset]).toEqual([[...wanted, [10, 50, 'v10']], 11]);
      expect((await read(bytes, 9))?.records.at(0)?.offset).toBe(9);
    }
  });

  it('passes over nothing where nothing came', async () => {
    expect(await lean.read(Buffer.alloc(0), 5)).toBeNull();
  });

  it('what one record keeps alive is the whole fetch, not a copy', async () => {
    const bytes = encodeBatch(batchOf([{ value: Buffer.alloc(10) }, { value: Buffer.alloc(90_000) }]));
    const batch = await lean.read(bytes, 0);
    expect(batch?.records.at(0)?.value?.buffer.byteLength).toBeGreaterThan(90_000);
    expect(batch?.records.at(0)?.value?.buffer).toBe(batch?.records.at(1)?.value?.buffer);
  });
});
