import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createCodecs } from '../../../../src/drivers/kafkajs/codecs/codecs.js';
import { writeBatch } from '../../../../src/drivers/kafkajs/producer/batch-writer.js';
import { mostRecordBytes } from '../../../../src/drivers/kafkajs/producer/record-writer.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';
import type { KafkaRecord } from '../../../../src/ports/kafka-consumer.js';
import { partitionOfKey } from '../../../../src/ports/kafka-key.js';
import type { KafkaOutgoing } from '../../../../src/ports/kafka-producer.js';
import { decoding, MAX_BATCH_BYTES } from '../decoding.js';

const NOW = 1_700_000_000_000;
const OF = { producerId: 77n, epoch: 3, firstSequence: 9, isTransactional: false };
const codecs = createCodecs({ maxBatchBytes: MAX_BATCH_BYTES });
const PACKINGS = [0, 1, 2, 3].map((number) => ({
  number,
  codec: codecs[number as 1] as (typeof codecs)[1] | undefined,
}));

const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));
/** kafkajs's own decoder takes what every object inherits for a header. */
const headerName = fc.string({ minLength: 1, maxLength: 9 }).filter((name) => !(name in {}));
const outgoing: fc.Arbitrary<KafkaOutgoing> = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(null),
  key: fc.option(bytes),
  value: fc.option(fc.oneof(bytes, fc.uint8Array({ minLength: 100, maxLength: 20_000 }))),
  headers: fc.array(fc.tuple(headerName, fc.oneof(fc.constant(null), bytes)), { maxLength: 5 }),
  timestamp: fc.option(
    fc.oneof(fc.integer({ min: 0, max: 2 ** 43 }), fc.maxSafeNat(), fc.integer({ min: NOW - 9, max: NOW + 9 })),
  ),
});

const text = (given: Uint8Array | null) => (given === null ? null : Buffer.from(given).toString('latin1'));

function shown({ key, value, headers, timestamp }: Omit<KafkaOutgoing, 'topic' | 'partition'>) {
  return [text(key), text(value), headers.map(([name, one]) => [name, text(one)]), timestamp];
}

function shownRead({ key, value, headerList: headers, timestamp }: KafkaRecord) {
  return shown({ key, value, headers, timestamp });
}

describe('a batch that is written', () => {
  it.each(['lean', 'kafkajs'] as const)(
    'is read as it was meant, by the decoder %s, compressed or not',
    async (decoder) => {
      const { read } = decoding(decoder, decoder === 'lean');
      await fc.assert(
        fc.asyncProperty(
          fc.array(outgoing, { minLength: 1, maxLength: 30 }),
          fc.constantFrom(...PACKINGS),
          async (records, packing) => {
            const batch = await read(await writeBatch(records, OF, packing, NOW), 0);
            const wanted = records.map((one) => shown({ ...one, timestamp: one.timestamp ?? NOW }));
            expect(batch && Array.from(batch.records, shownRead)).toEqual(wanted);
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('says whose it is, and where it is', async () => {
    const record: KafkaOutgoing = {
      topic: 't',
      partition: null,
      key: null,
      value: Buffer.from('v'),
      headers: [],
      timestamp: null,
    };
    const batch = await writeBatch(
      [record, record],
      { ...OF, isTransactional: true },
      { number: 0, codec: undefined },
      NOW,
    );
    expect([batch.readInt16BE(21), batch.readBigInt64BE(43), batch.readInt16BE(51), batch.readInt32BE(53)]).toEqual([
      16,
      77n,
      3,
      9,
    ]);
    expect([batch.readInt32BE(23), batch.readInt32BE(57), batch.readInt32BE(8)]).toEqual([1, 2, batch.length - 12]);
  });

  it('is never larger than it was reckoned', async () => {
    await fc.assert(
      fc.asyncProperty(outgoing, async (record) => {
        const batch = await writeBatch([record], OF, { number: 0, codec: undefined }, NOW);
        expect(batch.length - 61).toBeLessThanOrEqual(mostRecordBytes(record));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the partition of a key', () => {
  it("is that of kafkajs's default partitioner, which is Java's", () => {
    const { load } = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: MAX_BATCH_BYTES });
    const murmur2 = load('src/producer/partitioners/default/murmur2.js') as (key: Buffer) => number;
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 50 }), (key, partitions) => {
        expect(partitionOfKey(key, partitions)).toBe((murmur2(key) & 0x7fffffff) % partitions);
      }),
      { numRuns: 500 },
    );
  });
});
