import { describe, expect, it } from '@jest/globals';
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import type { RxflumeError } from '../../../../src/core/errors.js';
import { Signal } from '../../../../src/drivers/kafkajs/consumer/signal.js';
import { answerOf, verdictOf } from '../../../../src/drivers/kafkajs/producer/producer-answers.js';
import type { ProducerLink } from '../../../../src/drivers/kafkajs/producer/producer-link.js';
import type { PartitionBatch } from '../../../../src/drivers/kafkajs/producer/producer-requests.js';
import { Producing } from '../../../../src/drivers/kafkajs/producer/producing.js';
import type { ProducingFor, Sender } from '../../../../src/drivers/kafkajs/producer/sender.js';
import { Sequences } from '../../../../src/drivers/kafkajs/producer/sequences.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';
import type { KafkaOutgoing, KafkaSent } from '../../../../src/ports/kafka-producer.js';

const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });
const NOT_LEADER = 6;
const TOO_LARGE = 10;
const NOT_ENOUGH_REPLICAS = 19;
const OUT_OF_ORDER = 45;
const DUPLICATE = 46;
const INVALID_EPOCH = 47;

const TIMED_OUT = 7;
const DENIED = 29;
const INVALID_TIMESTAMP = 32;
const INVALID_RECORD = 87;

/** What a broker says of one batch: a code, and the records at fault with it. */
type Said = number | { readonly code: number; readonly bad: readonly number[]; readonly reason?: string };
/** What it answers to each request in turn: for each partition, or nothing at all, or only when it is let. */
type Answer = Readonly<Record<number, Said>> | 'lost' | Promise<Readonly<Record<number, Said>>>;

function sending(
  answers: Answer[],
  options: { readonly sendTimeoutMs?: number; readonly maxRecordBytes?: number } = {},
) {
  const sent: {
    readonly partition: number;
    readonly sequence: number;
    /** With its epoch. */
    readonly producerId: string;
    readonly count: number;
    readonly bytes: Buffer;
  }[] = [];
  const requests: { readonly partitions: readonly number[]; readonly isApart: boolean }[] = [];
  let ids = 0;
  let refreshes = 0;
  const topics: Record<string, number | RxflumeError | undefined> = { t: 3, other: 1 };
  const leaders: Record<string, number | undefined> = {};
  const link = {
    topics: {
      known: (topic: string) => topics[topic],
      leaderOf: ({ topic, partition }: { topic: string; partition: number }) =>
        `${topic}/${partition}` in leaders ? leaders[`${topic}/${partition}`] : 1,
      look: async () => {
        refreshes += 1;
      },
    },
    refresh: async () => undefined,
    forget: () => undefined,
    errorOf: (code: number) => internals.createErrorFromCode(code),
    produce: async (_node: number, _id: string | null, batches: readonly PartitionBatch[], isApart: boolean) => {
      requests.push({ partitions: batches.map(({ partition }) => partition), isApart });
      for (const { partition, bytes } of batches) {
        const [sequence, count] = [bytes.readInt32BE(53), bytes.readInt32BE(57)];
        const producerId = `${bytes.readBigInt64BE(43)}/${bytes.readInt16BE(51)}`;
        sent.push({ partition, sequence, producerId, count, bytes });
      }
      const answer = await (answers.shift() ?? {});
      if (answer === 'lost')
        throw Object.assign(new Error('socket hang up'), { name: 'KafkaJSConnectionClosedError', retriable: true });
      return batches.map(({ topic, partition }) => {
        const said = answer[partition] ?? 0;
        const { code, bad, reason = '' } = typeof said === 'number' ? { code: said, bad: [] } : said;
        const rejected = bad.map((index) => ({ index, reason: `bad ${index}` }));
        return { topic, partition, errorCode: code, rejected, reason };
      });
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
  const plain: Sender = {
    sequences: async () => sequences,
    renew: () => {
      sequences = fresh();
    },
  };
  const ofId = new Sequences({ producerId: 9n, epoch: 0 }, 'id');
  const producing = new Producing(of, plain);
  const transaction = new Producing(of, { sequences: async () => ofId, joining: async () => undefined });
  return {
    sent,
    requests,
    topics,
    leaders,
    refreshes: () => refreshes,
    answers$: (list: readonly KafkaOutgoing[], isWanted?: (recordIndex: number) => boolean) =>
      producing.send(list, isWanted),
    send: (list: readonly KafkaOutgoing[]) => settled(producing.send(list)),
    sendInTransaction: (list: readonly KafkaOutgoing[]) => settled(transaction.send(list)),
  };
}

/** All answers as one; each record must be named once. */
async function settled(sent$: Observable<KafkaSent>): Promise<KafkaSent> {
  const all = await lastValueFrom(sent$.pipe(toArray()));
  const written = all.flatMap((sent) => [...sent.written]);
  const rejected = new Map(all.flatMap((sent) => [...sent.rejected]));
  expect(new Set([...written, ...rejected.keys()]).size).toBe(written.length + rejected.size);
  return { written, rejected };
}

function codes({ rejected }: KafkaSent): [number, string][] {
  return [...rejected].sort(([a], [b]) => a - b).map(([recordIndex, { code }]) => [recordIndex, code]);
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
    expect((await send(records(3))).rejected.size).toBe(0);
    await send(records(1));
    expect(sent[1]?.bytes).toEqual(sent[0]?.bytes);
    expect([sent.map(({ sequence }) => sequence), refreshes()]).toEqual([[0, 0, 3], 1]);
  });

  it('is sent again only to the partition that did not take it', async () => {
    const { send, sent } = sending([{ 0: NOT_LEADER }, { 0: NOT_ENOUGH_REPLICAS }]);
    expect((await send([...records(2, 0), ...records(2, 1)])).rejected.size).toBe(0);
    expect(sent.map(({ partition, sequence }) => [partition, sequence])).toEqual([
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('is halved until the one that is too large for the topic is found; the others are written in order', async () => {
    const { send, sent } = sending(Array(4).fill({ 0: TOO_LARGE }));
    const { rejected } = await send(records(5));
    expect([...rejected].map(([recordIndex, { code }]) => [recordIndex, code])).toEqual([
      [0, 'RXF_KAFKA_RECORD_TOO_LARGE'],
    ]);
    const wanted = [
      [0, 5],
      [0, 3],
      [0, 2],
      [0, 1],
      [0, 1],
      [1, 2],
      [3, 1],
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

  it('begins anew under the next epoch where the broker has lost the sequence', async () => {
    const { send, sent } = sending([{}, { 0: OUT_OF_ORDER }]);
    await send(records(2));
    expect((await send(records(3))).rejected.size).toBe(0);
    expect(sent.map(({ producerId, sequence }) => [producerId, sequence])).toEqual([
      ['1/0', 0],
      ['1/0', 2],
      ['1/1', 0],
    ]);
  });

  it('is rejected in doubt when it takes too long, and what comes after is of the next epoch', async () => {
    const { send, sent } = sending(['lost', 'lost', 'lost', 'lost'], { sendTimeoutMs: 50 });
    const { rejected } = await send(records(2));
    expect([...rejected.values()].map(({ code, retryable }) => [code, retryable])).toEqual(
      Array(2).fill(['RXF_KAFKA_SEND', true]),
    );
    await send(records(1));
    expect(sent.at(-1)).toMatchObject({ producerId: '1/1', sequence: 0 });
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

  it('is written without the records that the broker names, which use up no sequence', async () => {
    const { send, sent } = sending([{ 0: { code: INVALID_RECORD, bad: [4, 1] } }, {}, {}]);
    const answer = await send(records(6));
    expect(codes(answer)).toEqual([
      [1, 'RXF_KAFKA_RECORD_REJECTED'],
      [4, 'RXF_KAFKA_RECORD_REJECTED'],
    ]);
    expect(answer.rejected.get(4)).toMatchObject({ retryable: false, message: expect.stringContaining('bad 4') });
    expect(answer.written).toEqual([0, 2, 3, 5]);
    await send(records(1));
    expect(sent.map(({ sequence, count }) => [sequence, count])).toEqual([
      [0, 6],
      [0, 4],
      [4, 1],
    ]);
  });

  it('is written without the records that the broker names, in a transaction too', async () => {
    const { sendInTransaction, sent } = sending([{ 0: { code: INVALID_TIMESTAMP, bad: [0, 9] } }]);
    const answer = await sendInTransaction(records(3));
    expect([codes(answer), answer.written]).toEqual([[[0, 'RXF_KAFKA_RECORD_REJECTED']], [1, 2]]);
    expect(sent.map(({ sequence, count }) => [sequence, count])).toEqual([
      [0, 3],
      [0, 2],
    ]);
  });

  it('is halved where the broker does not say which record it means', async () => {
    const unnamed = { code: INVALID_RECORD, bad: [] as number[], reason: 'not so' };
    const no = { 0: unnamed };
    // Of 8 records the third is bad: 0-7, 0-3, 0-1 is fine, 2-5, 2-3, 2.
    const { send, sent } = sending([no, no, {}, no, no, no]);
    const answer = await send(records(8));
    expect(codes(answer)).toEqual([[2, 'RXF_KAFKA_RECORD_REJECTED']]);
    expect(answer.rejected.get(2)?.message).toContain('not so');
    expect(answer.written).toEqual([0, 1, 3, 4, 5, 6, 7]);
    expect(sent.length).toBeLessThan(12);
  });

  it('of a topic that is not ours is rejected alone, at once', async () => {
    const { send, sent, topics } = sending([{ 1: DENIED }]);
    const denied = Object.assign(new Error('no'), { code: 'RXF_KAFKA_AUTH' }) as unknown as RxflumeError;
    topics.closed = denied;
    const all = [...records(1, 0), { ...(records(1)[0] as KafkaOutgoing), topic: 'closed' }, ...records(2, 1)];
    const answer = await send(all);
    expect(codes(answer)).toEqual([
      [1, 'RXF_KAFKA_AUTH'],
      [2, 'RXF_KAFKA_AUTH'],
      [3, 'RXF_KAFKA_AUTH'],
    ]);
    expect([answer.written, sent.length]).toEqual([[0], 2]);
  });

  it('of a partition without a leader holds up nothing that goes elsewhere, and is given up in time', async () => {
    const { answers$, send, leaders } = sending([], { sendTimeoutMs: 1_000 });
    leaders['t/1'] = undefined;
    const began = performance.now();
    const seen: { readonly atMs: number; readonly sent: KafkaSent }[] = [];
    const all$ = answers$([...records(2, 0), ...records(1, 1), ...records(1, 2)]);
    const ended = new Promise<void>((resolve) => {
      all$.subscribe({ next: (sent) => seen.push({ atMs: performance.now() - began, sent }), complete: resolve });
    });
    // Meanwhile others go on, also behind what waits.
    expect((await send(records(3, 0))).written).toEqual([0, 1, 2]);
    expect(performance.now() - began).toBeLessThan(700);
    const behind = send(records(1, 1));
    await ended;
    expect(seen.map(({ sent }) => [sent.written, codes(sent)])).toEqual([
      [[0, 1, 3], []],
      [[], [[2, 'RXF_KAFKA_SEND']]],
    ]);
    expect((seen[0] as { atMs: number }).atMs).toBeLessThan(700);
    // What stood behind it in its partition must not go before what is redelivered.
    expect(codes(await behind)).toEqual([[0, 'RXF_KAFKA_SEND']]);
    expect(performance.now() - began).toBeLessThan(2_500);
  });

  it('goes in a request of its own after the broker was slow with it', async () => {
    const { send, requests } = sending([{ 0: TIMED_OUT }, {}]);
    await send([...records(1, 0), ...records(1, 1)]);
    expect(requests).toEqual([
      { partitions: [0, 1], isApart: false },
      { partitions: [0], isApart: true },
    ]);
  });

  it('waits for no request to another partition, and keeps the order of its own', async () => {
    let answer: (said: Readonly<Record<number, Said>>) => void = () => undefined;
    const held = new Promise<Readonly<Record<number, Said>>>((resolve) => {
      answer = resolve;
    });
    const { send, sent, leaders } = sending([held]);
    leaders['t/1'] = 2;
    const first = send(records(1, 0));
    const second = send(records(2, 0));
    await send(records(3, 1));
    expect(sent.map(({ partition, count }) => [partition, count])).toEqual([
      [0, 1],
      [1, 3],
    ]);
    answer({});
    await Promise.all([first, second]);
    expect(sent.slice(2).map(({ partition, sequence, count }) => [partition, sequence, count])).toEqual([[0, 1, 2]]);
  });

  it('is not written where it is not wanted any more when its turn comes', async () => {
    let answer: (said: Readonly<Record<number, Said>>) => void = () => undefined;
    const held = new Promise<Readonly<Record<number, Said>>>((resolve) => {
      answer = resolve;
    });
    const { answers$, sent } = sending([held]);
    let isOver = false;
    const isWanted = (recordIndex: number) => !isOver || recordIndex === 1;
    const first = settled(answers$(records(3), isWanted));
    const second = settled(answers$(records(3), isWanted));
    const third = settled(answers$([...records(1), ...records(1, 1)], () => !isOver));
    await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    answer({});
    // What was under way is written all the same.
    expect((await first).written).toEqual([0, 1, 2]);
    expect([(await second).written, codes(await second)]).toEqual([
      [1],
      [
        [0, 'RXF_SINK_STOPPED'],
        [2, 'RXF_SINK_STOPPED'],
      ],
    ]);
    expect([(await third).written, (await third).rejected.size]).toEqual([[], 2]);
    expect(sent.map(({ sequence, count }) => [sequence, count])).toEqual([
      [0, 3],
      [3, 1],
    ]);
  });

  it('stays as it was sent while it is in doubt, whatever happens to other partitions', async () => {
    const { send, sent } = sending(['lost', 'lost', { 1: OUT_OF_ORDER }]);
    expect((await send([...records(2, 0), ...records(2, 1)])).rejected.size).toBe(0);
    const ofFirst = sent.filter(({ partition }) => partition === 0);
    expect(new Set(ofFirst.map(({ bytes }) => bytes.toString('hex'))).size).toBe(1);
    // The other was sent twice as well before the broker said that it has lost the sequence.
    expect(sent.filter(({ partition }) => partition === 1).map(({ producerId }) => producerId)).toContain('1/1');
  });

  it('is rejected alone where no batch can be made of it', async () => {
    const broken = { ...(records(1)[0] as KafkaOutgoing), headers: [['h', 7 as never]] as KafkaOutgoing['headers'] };
    const answer = await sending([]).send([...records(2, 0), broken, ...records(1, 1)]);
    expect([codes(answer), answer.written]).toEqual([[[2, 'RXF_KAFKA_RECORD_REJECTED']], [0, 1, 3]]);
  });

  it.each([Number.NaN, -1, 2 ** 60, 1.5])('is rejected alone with the timestamp %p', async (timestamp) => {
    const wrong = { ...(records(1)[0] as KafkaOutgoing), timestamp };
    const answer = await sending([]).send([...records(1), wrong]);
    expect([codes(answer), answer.written]).toEqual([[[1, 'RXF_KAFKA_RECORD_REJECTED']], [0]]);
  });

  it('fails a transaction whose batch is rejected after its answer was lost: it may be in it', async () => {
    const { sendInTransaction } = sending(['lost', { 0: { code: INVALID_TIMESTAMP, bad: [0] } }]);
    await expect(sendInTransaction(records(2))).rejects.toMatchObject({ type: 'INVALID_TIMESTAMP' });
  });
});

describe('verdicts', () => {
  it.each<[number, string]>([
    [3, 'again'],
    [NOT_LEADER, 'again'],
    [NOT_ENOUGH_REPLICAS, 'again'],
    [20, 'again'],
    [TOO_LARGE, 'record'],
    [INVALID_TIMESTAMP, 'record'],
    [18, 'record'],
    [29, 'topic'],
    [17, 'topic'],
    [43, 'topic'],
    [31, 'cluster'],
    [-1, 'lost'],
    [OUT_OF_ORDER, 'sequence'],
    [DUPLICATE, 'stored'],
    [INVALID_EPOCH, 'fenced'],
    [48, 'sequence'],
    [42, 'partition'],
    [51, 'again'],
    [53, 'cluster'],
    [59, 'sequence'],
    // Those that kafkajs has no name for.
    [INVALID_RECORD, 'record'],
    [89, 'again'],
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
