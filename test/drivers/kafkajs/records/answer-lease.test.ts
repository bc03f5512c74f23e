import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { OwnedPartition } from '../../../../src/drivers/kafkajs/consumer/assignment.js';
import { AnswerLease, AnswerMemory, leaseOf } from '../../../../src/drivers/kafkajs/records/answer-lease.js';
import { toBatch } from '../../../../src/drivers/kafkajs/records/batch.js';
import type { FetchedMessages, ForeignDecoder } from '../../../../src/drivers/kafkajs/records/fetched-messages.js';
import { AnswerReader } from '../../../../src/drivers/kafkajs/vendor/answer-reader.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';
import type { KafkaBatch, KafkaRecord } from '../../../../src/ports/kafka-consumer.js';
import { MAX_BATCH_BYTES } from '../decoding.js';

const VALUE_BYTES = 500;
const BATCH_RECORDS = 50;
const GZIP = 1;

const { load } = openInternals({ maxBatchBytes: MAX_BATCH_BYTES, recordDecoder: 'lean', checkCrc: false });
const Decoder = load('src/protocol/decoder.js') as new (bytes: Buffer) => ForeignDecoder;
const decode = load('src/protocol/requests/fetch/v4/decodeMessages.js') as (
  from: ForeignDecoder,
) => Promise<FetchedMessages>;
const { RecordBatch } = load('src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (options: Record<string, unknown>) => Promise<{ buffer: Buffer }>;
};
const Record = load('src/protocol/recordBatch/record/v0/index.js') as (options: Record<string, unknown>) => unknown;

/** Not to be compressed well: an answer that is small has no memory of its own. */
const valueAt = (offset: number) => {
  const hash = createHash('sha512').update(String(offset)).digest('base64');
  return `${offset}:`.padEnd(VALUE_BYTES, hash);
};

async function batchOf(firstOffset: number, compression = 0): Promise<Buffer> {
  const records = Array.from({ length: BATCH_RECORDS }, (_, offsetDelta) =>
    Record({ offsetDelta, key: `k${firstOffset + offsetDelta}`, value: valueAt(firstOffset + offsetDelta) }),
  );
  return (await RecordBatch({ firstOffset, records, lastOffsetDelta: BATCH_RECORDS - 1, compression })).buffer;
}

/** A socket to a broker, as far as what it reads goes: fetches of one partition, one after the other. */
class Fetches {
  readonly memories = new Set<ArrayBufferLike>();
  readonly #reader = new AnswerReader((answer) => {
    this.#answer = answer;
  });
  #answer: Buffer | undefined;
  #position = 0;

  /** What a fetch brings, decoded; its answer is sealed, as the fetch loop does. */
  async next(batches = 4, compression = 0): Promise<KafkaBatch> {
    const parts: Buffer[] = [];
    for (let at = 0; at < batches; at += 1) parts.push(await batchOf(this.#position + at * BATCH_RECORDS, compression));
    const body = Buffer.concat(parts);
    const sizes = Buffer.alloc(8);
    sizes.writeInt32BE(body.length + 4, 0);
    sizes.writeInt32BE(body.length, 4);
    const sent = Buffer.concat([sizes, body]);
    for (let at = 0; at < sent.length; ) {
      const read = sent.copy(this.#reader.room(), 0, at, at + 10_000);
      this.#reader.read(read);
      at += read;
    }
    const answer = this.#answer as Buffer;
    this.memories.add(answer.buffer);
    const messages = await decode(new Decoder(answer.subarray(4)));
    const owned = new OwnedPartition({ topic: 't', partition: 0 }, 1);
    const fetched = {
      topic: 't',
      partition: 0,
      errorCode: 0,
      highWatermark: '99',
      abortedTransactions: [],
      messages,
    };
    const batch = toBatch(owned, this.#position, fetched);
    messages.lease?.seal();
    this.#position += batches * BATCH_RECORDS;
    return batch as KafkaBatch;
  }
}

function expectRight(records: Iterable<KafkaRecord>): void {
  for (const { offset, value, key } of records) {
    expect([String(value), String(key)]).toEqual([valueAt(offset), `k${offset}`]);
  }
}

describe('the memory of an answer', () => {
  it('is read into again when all its batches had their turn, and no record changes by that', async () => {
    const fetches = new Fetches();
    const kept: KafkaRecord[] = [];
    for (let turn = 0; turn < 6; turn += 1) kept.push(...(await fetches.next()).records);
    expect(fetches.memories.size).toBe(1);
    expect(kept).toHaveLength(6 * 4 * BATCH_RECORDS);
    expectRight(kept);
  });

  it('stays while a batch has not had its turn, also of a fetch before the last', async () => {
    const fetches = new Fetches();
    const [first, second] = [await fetches.next(), await fetches.next()];
    const some = Array.from({ length: 3 * BATCH_RECORDS }, (_, at) => first.records.at(at) as KafkaRecord);
    const third = await fetches.next();
    expect(fetches.memories.size).toBe(3);
    for (const { records } of [second, third, first]) expectRight(records);
    expectRight(some);
    await fetches.next();
    expect(fetches.memories.size).toBe(3);
    expectRight(some);
    // Asked for again, out of order.
    expectRight([5, 199, 0, 60].map((at) => first.records.at(at) as KafkaRecord));
  });

  it('is not waited for where a fetch is dropped', async () => {
    const fetches = new Fetches();
    await fetches.next();
    expectRight((await fetches.next()).records);
    expectRight((await fetches.next()).records);
    expect(fetches.memories.size).toBe(2);
  });

  it('is free at once where the batches were inflated elsewhere', async () => {
    const fetches = new Fetches();
    // Fewer would be too small, compressed, to have memory of their own.
    const compressed = await fetches.next(200, GZIP);
    const next = await fetches.next(200, GZIP);
    expect(fetches.memories.size).toBe(1);
    for (const { records } of [compressed, next])
      expectRight([0, 77, records.length - 1].map((at) => records.at(at) as KafkaRecord));
  }, 30_000);

  it('is used for answers of about its size, and two at most wait', () => {
    const memory = new AnswerMemory();
    const taken = [1, 2, 3].map(() => memory.take(1_000_000));
    for (const bytes of taken) leaseOf(bytes)?.seal();
    const again = [1, 2, 3].map(() => memory.take(900_000));
    expect(again.map(({ length }) => length)).toEqual([900_000, 900_000, 900_000]);
    expect(again.filter(({ buffer }) => taken.some((bytes) => bytes.buffer === buffer))).toHaveLength(2);
    leaseOf(again[0] as Buffer)?.seal();
    expect(memory.take(100_000).buffer).not.toBe(again[0]?.buffer);
    expect(memory.take(5_000_000).buffer).not.toBe(again[0]?.buffer);
  });
});

describe('AnswerLease', () => {
  const given: string[] = [];
  const lease = (name: string) => new AnswerLease(() => given.push(name));

  it('gives back once: when it is sealed and the last has let go, and never what is kept', () => {
    const [used, kept, open] = [lease('used'), lease('kept'), lease('open')];
    used.hold();
    used.hold();
    used.release();
    used.seal();
    expect(given).toEqual([]);
    used.release();
    used.seal();
    expect(given).toEqual(['used']);
    kept.hold();
    kept.keep();
    kept.seal();
    kept.release();
    open.hold();
    open.release();
    expect(given).toEqual(['used']);
    lease('unused').seal();
    expect(given).toEqual(['used', 'unused']);
  });
});
