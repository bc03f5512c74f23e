import { describe, expect, it } from '@jest/globals';
import { openInternals } from '../../../src/drivers/kafkajs/patches.js';
import { answerOf, verdictOf } from '../../../src/drivers/kafkajs/producer-answers.js';
import type { ProducerLink } from '../../../src/drivers/kafkajs/producer-link.js';
import {
  type PartitionBatch,
  STABLE_OFFSETS_VERSION,
  stableOffsetsRequest,
} from '../../../src/drivers/kafkajs/producer-requests.js';
import { Producing, type ProducingFor } from '../../../src/drivers/kafkajs/producing.js';
import { Sequences } from '../../../src/drivers/kafkajs/sequences.js';
import { Signal } from '../../../src/drivers/kafkajs/signal.js';
import type { KafkaOutgoing } from '../../../src/ports/kafka-producer.js';

const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });
const NOT_LEADER = 6;
const TOO_LARGE = 10;
const NOT_ENOUGH_REPLICAS = 19;
const OUT_OF_ORDER = 45;
const DUPLICATE = 46;
const INVALID_EPOCH = 47;

/** What a broker answers to each request in turn: a code for each partition, or nothing at all. */
type Answer = Readonly<Record<number, number>> | 'lost';

function sending(
  answers: Answer[],
  options: { readonly sendTimeoutMs?: number; readonly maxRecordBytes?: number } = {},
) {
  const sent: {
    readonly partition: number;
    readonly sequence: number;
    readonly producerId: bigint;
    readonly count: number;
    readonly bytes: Buffer;
  }[] = [];
  let ids = 0;
  let refreshes = 0;
  const link = {
    partitionsOf: async () => [
      { partitionId: 0, leader: 1 },
      { partitionId: 1, leader: 1 },
    ],
    refreshIfOld: async () => undefined,
    refresh: async () => {
      refreshes += 1;
    },
    leaderOf: () => 1,
    forget: () => undefined,
    errorOf: (code: number) => internals.createErrorFromCode(code),
    produce: async (_node: number, _id: string | null, batches: readonly PartitionBatch[]) => {
      for (const { partition, bytes } of batches) {
        const [sequence, count] = [bytes.readInt32BE(53), bytes.readInt32BE(57)];
        sent.push({ partition, sequence, producerId: bytes.readBigInt64BE(43), count, bytes });
      }
      const answer = answers.shift() ?? {};
      if (answer === 'lost')
        throw Object.assign(new Error('socket hang up'), { name: 'KafkaJSConnectionClosedError', retriable: true });
      return batches.map(({ topic, partition }) => ({ topic, partition, errorCode: answer[partition] ?? 0 }));
    },
  };
  const of: ProducingFor = {
    link: link as unknown as ProducerLink,
    setting: { brokers: ['k1:9092'], secrets: [] },
    producing: {
      compression: 'none',
      maxRecordBytes: 1_000,
      sendTimeoutMs: 2_000,
      transactionTimeoutMs: 1,
      ...options,
    },
    packing: { number: 0, codec: undefined },
    closing: new Signal(),
    isClosed: false,
  };
  const fresh = () => new Sequences({ producerId: BigInt(++ids), epoch: 0 }, null);
  let sequences = fresh();
  const producing = new Producing(of);
  return {
    sent,
    refreshes: () => refreshes,
    send: (records: readonly KafkaOutgoing[]) =>
      producing.send(records, {
        sequences: async () => sequences,
        renew: () => {
          sequences = fresh();
        },
      }),
    sendInTransaction: (records: readonly KafkaOutgoing[]) =>
      producing.send(records, { sequences: async () => new Sequences({ producerId: 9n, epoch: 0 }, 'id') }),
  };
}

function records(count: number, partition = 0, size = 1): KafkaOutgoing[] {
  return Array.from({ length: count }, () => ({
    topic: 't',
    partition,
    key: null,
    value: Buffer.alloc(size),
    headers: [],
    timestamp: 1,
  }));
}

describe('what is sent', () => {
  it('counts its sequences up, for each partition', async () => {
    const { send, sent } = sending([]);
    await send([...records(3, 0), ...records(2, 1)]);
    await send(records(4, 0));
    expect(sent.map(({ partition, sequence, count }) => [partition, sequence, count])).toEqual([
      [0, 0, 3],
      [1, 0, 2],
      [0, 3, 4],
    ]);
  });

  it('is sent again to the letter after an answer was lost; what was there already counts as written', async () => {
    const { send, sent, refreshes } = sending(['lost', { 0: DUPLICATE }]);
    expect((await send(records(3))).refused.size).toBe(0);
    await send(records(1));
    expect(sent[1]?.bytes).toEqual(sent[0]?.bytes);
    expect([sent.map(({ sequence }) => sequence), refreshes()]).toEqual([[0, 0, 3], 1]);
  });

  it('is sent again only to the partition that did not take it', async () => {
    const { send, sent } = sending([{ 0: NOT_LEADER }, { 0: NOT_ENOUGH_REPLICAS }]);
    expect((await send([...records(2, 0), ...records(2, 1)])).refused.size).toBe(0);
    expect(sent.map(({ partition, sequence }) => [partition, sequence])).toEqual([
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('is halved until the one that is too large for the topic is found; the others are written in order', async () => {
    const { send, sent } = sending(Array(4).fill({ 0: TOO_LARGE }));
    const { refused } = await send(records(5));
    expect([...refused].map(([place, { code }]) => [place, code])).toEqual([[0, 'RXF_KAFKA_RECORD_TOO_LARGE']]);
    const wanted = [
      [0, 5],
      [0, 3],
      [0, 2],
      [0, 1],
      [0, 1],
      [1, 3],
    ];
    expect(sent.map(({ sequence, count }) => [sequence, count])).toEqual(wanted);
  });

  it('goes in batches of at most so many bytes, one a request', async () => {
    const { send, sent } = sending([], { maxRecordBytes: 1_000 });
    await send(records(5, 0, 400));
    expect(sent.map(({ sequence, count }) => [sequence, count])).toEqual([
      [0, 2],
      [2, 2],
      [4, 1],
    ]);
  });

  it('is sent by another producer id where the broker has lost the sequence', async () => {
    const { send, sent } = sending([{}, { 0: OUT_OF_ORDER }]);
    await send(records(2));
    expect((await send(records(3))).refused.size).toBe(0);
    expect(sent.map(({ producerId, sequence }) => [producerId, sequence])).toEqual([
      [1n, 0],
      [1n, 2],
      [2n, 0],
    ]);
  });

  it('is refused in doubt when it takes too long, and what comes after is of another producer id', async () => {
    const { send, sent } = sending(['lost', 'lost', 'lost', 'lost'], { sendTimeoutMs: 50 });
    const { refused } = await send(records(2));
    expect([...refused.values()].map(({ code, retryable }) => [code, retryable])).toEqual(
      Array(2).fill(['RXF_KAFKA_SEND', true]),
    );
    await send(records(1));
    expect(sent.at(-1)).toMatchObject({ producerId: 2n, sequence: 0 });
  });

  it('fails as a whole in a transaction that is fenced, or has lost something for good', async () => {
    await expect(sending([{ 0: INVALID_EPOCH }]).sendInTransaction(records(1))).rejects.toMatchObject({
      type: 'INVALID_PRODUCER_EPOCH',
    });
    await expect(sending([{ 0: OUT_OF_ORDER }]).sendInTransaction(records(1))).rejects.toMatchObject({
      type: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    });
    await expect(
      sending(['lost', 'lost', 'lost'], { sendTimeoutMs: 10 }).sendInTransaction(records(1)),
    ).rejects.toThrow('socket hang up');
  });
});

describe('verdicts', () => {
  it.each<[number, string]>([
    [3, 'again'],
    [NOT_LEADER, 'again'],
    [NOT_ENOUGH_REPLICAS, 'again'],
    [20, 'again'],
    [TOO_LARGE, 'tooLarge'],
    [29, 'denied'],
    [OUT_OF_ORDER, 'anew'],
    [DUPLICATE, 'stored'],
    [INVALID_EPOCH, 'fenced'],
    [48, 'refused'],
    [51, 'again'],
    [53, 'denied'],
    [59, 'anew'],
    // Those that kafkajs has no name for.
    [87, 'refused'],
    [88, 'again'],
    [90, 'fenced'],
  ])('of the code %d: %s', (code, verdict) => {
    expect(verdictOf(internals.createErrorFromCode(code))).toBe(verdict);
  });

  it('of no answer: lost', () => {
    const late = Object.assign(new Error('Request Produce timed out'), { name: 'KafkaJSRequestTimeoutError' });
    expect([verdictOf(late), answerOf(late)]).toEqual(['lost', '']);
  });
});

describe('the request for settled offsets', () => {
  it('is that of KIP-447, and its answer is read', async () => {
    const request = stableOffsetsRequest(internals, 'g', [{ topic: 'in', partitions: [1] }]);
    const { buffer } = (await request.request.encode()) as { buffer: Buffer };
    expect([request.request.apiVersion, buffer.toString('hex')]).toEqual([
      STABLE_OFFSETS_VERSION,
      '0002670203696e020000000100' + '0100',
    ]);
    const answer = Buffer.from(
      '00' +
        '00000000' +
        '02' +
        '03696e' +
        '02' +
        '00000001' +
        '000000000000002a' +
        'ffffffff' +
        '00' +
        '0058' +
        '00' +
        '00' +
        '0000' +
        '00',
      'hex',
    );
    expect(await request.response.decode(answer)).toEqual({
      errorCode: 0,
      offsets: [{ topic: 'in', partition: 1, offset: 42, errorCode: 88 }],
    });
    await expect(request.response.decode(answer.subarray(0, 12))).rejects.toThrow(/out of range/);
  });
});
