import { isRetryable } from '../../core/errors.js';
import type { KafkaBatch, KafkaDriver, KafkaSubscription, PartitionOffset } from '../../ports/kafka-consumer.js';
import { equal, freshName, sleep, until } from './checking.js';
import { KafkaTrace, kafkaSubscription } from './kafka-trace.js';

export interface ContractRecord {
  readonly value: string | null;
  readonly key?: string | null;
  readonly timestamp?: number;
}

/** A driver with the cluster behind it, as the contract needs it. Topics are made by the checks and left behind. */
export interface KafkaSubject {
  readonly driver: KafkaDriver;
  createTopic(topic: string, partitions: number): Promise<void>;
  produce(topic: string, partition: number, records: readonly ContractRecord[]): Promise<void>;
  /** The same in a transaction of its own, which ends so; its marker takes an offset. Left out where there are none. */
  transact?(
    topic: string,
    partition: number,
    records: readonly ContractRecord[],
    outcome: 'commit' | 'abort',
  ): Promise<void>;
  /** The group's committed offset, or −1. */
  committed(groupId: string, topic: string, partition: number): Promise<number>;
}

export interface KafkaCheck {
  readonly name: string;
  run(subject: KafkaSubject): Promise<void>;
}

const QUIET_MS = 400;

function values(count: number, from = 0): ContractRecord[] {
  return Array.from({ length: count }, (_, index) => ({ value: `v${from + index}` }));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** What a check has: a topic of its own, which members join, and shorthands for it and its group. */
interface Given {
  readonly subject: KafkaSubject;
  readonly topic: string;
  readonly join: (given?: Partial<KafkaSubscription>, trace?: KafkaTrace) => KafkaTrace;
  readonly write: (partition: number, count: number, from?: number) => Promise<void>;
  readonly committed: (partition: number) => Promise<number>;
  readonly at: (partition: number, offset: number) => PartitionOffset;
}

/** `records`: how many there are in each partition of its topic at first. */
function check(name: string, records: readonly number[], run: (given: Given) => Promise<void>): KafkaCheck {
  return { name, run: (subject) => withTopic(subject, records, run) };
}

async function withTopic(
  subject: KafkaSubject,
  records: readonly number[],
  run: (given: Given) => Promise<void>,
): Promise<void> {
  const topic = freshName('topic');
  await subject.createTopic(topic, records.length);
  const write = (partition: number, count: number, from = 0) => subject.produce(topic, partition, values(count, from));
  for (const [partition, count] of records.entries()) if (count > 0) await write(partition, count);
  const members: KafkaTrace[] = [];
  try {
    await run({
      subject,
      topic,
      join: (given, trace = new KafkaTrace()) => {
        members.push(trace);
        return trace.join(subject.driver, kafkaSubscription(topic, given));
      },
      write,
      committed: (partition) => subject.committed(`${topic}-group`, topic, partition),
      at: (partition, offset) => ({ topic, partition, offset }),
    });
  } finally {
    for (const member of members) await member.close();
    for (const member of members) member.connection?.unsubscribe();
  }
  const overlaps = members.flatMap((member) => member.overlaps.seen);
  equal(overlaps, [], 'calls while another was unanswered');
}

/** What every `KafkaDriver` must do; run it on the fake and on the real one. */
export const kafkaContract: readonly KafkaCheck[] = [
  check('emits the member once, assigns all partitions in an epoch, then hands over records', [0, 2, 0], async (t) => {
    const trace = t.join();
    await trace.received(2);
    equal(trace.consumers, 1, 'members emitted');
    equal(trace.calls, ['assigned 1', 'records'], 'calls');
    equal([...trace.partitions].map((one) => one.partition).sort(), [0, 1, 2], 'partitions');
  }),
  check('a record has its value, key, timestamp, offset, stream, epoch and byte length', [0], async (t) => {
    await t.subject.produce(t.topic, 0, [
      { value: 'völlig', key: 'k', timestamp: 1_700_000_000_123 },
      { value: null, key: 'gone', timestamp: 1_700_000_000_124 },
      { value: '', key: null, timestamp: 1_700_000_000_125 },
    ]);
    const trace = t.join();
    await trace.received(3);
    const seen = trace.all.map((record) => [
      record.value?.toString() ?? null,
      record.key?.toString() ?? null,
      record.timestamp,
      record.offset,
      record.stream,
      record.epoch,
      record.byteLength,
    ]);
    const stream = `kafka:${t.topic}/0`;
    equal(
      seen,
      [
        ['völlig', 'k', 1_700_000_000_123, 0, stream, 1, 8],
        [null, 'gone', 1_700_000_000_124, 1, stream, 1, 4],
        ['', null, 1_700_000_000_125, 2, stream, 1, 0],
      ],
      'records',
    );
    const last = trace.batches.at(-1) as KafkaBatch;
    equal([last.nextOffset, last.highWatermark, last.epoch, last.topic], [3, 3, 1, t.topic], 'batch');
    const sum = trace.batches.reduce((bytes, batch) => bytes + batch.byteLength, 0);
    equal(sum, 12, 'bytes of the batches');
  }),
  check('records of a partition come in order, each once, also those written later', [700, 300], async (t) => {
    const trace = t.join();
    await trace.received(1_000);
    await t.write(0, 50, 700);
    await trace.received(1_050);
    await sleep(QUIET_MS);
    equal(trace.offsets(0), range(0, 750), 'offsets of partition 0');
    equal(trace.offsets(1), range(0, 300), 'offsets of partition 1');
  }),
  check('no record comes before `assigned` has answered, and then from where it says', [10, 3], async (t) => {
    const trace = new KafkaTrace();
    let hasAnswered = false;
    trace.answer = async () => {
      await sleep(QUIET_MS);
      hasAnswered = trace.batches.length === 0;
      return [t.at(0, 7)];
    };
    t.join({}, trace);
    await trace.received(6);
    equal(hasAnswered, true, 'no record before the answer');
    equal(trace.offsets(0), [7, 8, 9], 'offsets of partition 0');
    equal(trace.offsets(1), [0, 1, 2], 'offsets of partition 1');
  }),
  check('`startAt: latest` begins with what is written after joining', [5], async (t) => {
    const trace = t.join({ startAt: 'latest' });
    await trace.assignedTo(1);
    await sleep(QUIET_MS * 2);
    await t.write(0, 2, 5);
    await trace.received(2);
    equal(trace.offsets(0), [5, 6], 'offsets');
  }),
  check(
    'a start without a committed offset is told once, before any record, and can be remembered',
    [5, 0],
    async (t) => {
      const first = new KafkaTrace();
      let hasWaited = false;
      first.remember = async (starts) => {
        // What comes meanwhile belongs to what is to be read.
        await t.write(0, 2, 5);
        await first.commit(starts);
        await sleep(QUIET_MS);
        hasWaited = first.all.length === 0;
      };
      t.join({ startAt: 'latest' }, first);
      await first.received(2);
      equal(hasWaited, true, 'no record before the answer');
      const inOrder = [...first.starts].sort((a, b) => a.partition - b.partition);
      equal(inOrder, [t.at(0, 5), t.at(1, 0)], 'starts');
      equal(first.offsets(0), [5, 6], 'offsets');
      await first.close();
      await t.write(0, 3, 7);
      const second = t.join({ startAt: 'latest' });
      await second.received(5);
      equal([second.starts, second.offsets(0)], [[], range(5, 10)], 'starts and offsets of the next member');
    },
  ),
  check(
    'with `latest`, a new partition of a topic that the group has begun is read from its start',
    [5, 3],
    async (t) => {
      const first = t.join();
      await first.received(8);
      await first.commit([t.at(0, 5)]);
      await first.close();
      const second = t.join({ startAt: 'latest' });
      await second.received(3);
      equal(second.starts, [t.at(1, 0)], 'starts');
      equal([second.offsets(0), second.offsets(1)], [[], [0, 1, 2]], 'offsets');
      await second.close();
      const third = t.join({ startAt: 'latest', topics: new RegExp(`^${t.topic}$`) });
      await third.received(3);
      equal(third.starts, [t.at(1, 0)], 'starts with a pattern');
    },
  ),
  check(
    'with `latest`, members that join together do not take each other’s partitions for new',
    [3, 3, 3, 3],
    async (t) => {
      const both = [new KafkaTrace(), new KafkaTrace()];
      for (const trace of both) {
        trace.remember = (starts) => trace.commit(starts);
        t.join({ startAt: 'latest' }, trace);
      }
      for (const trace of both) await trace.assignedTo(2);
      await sleep(QUIET_MS);
      for (let partition = 0; partition < 4; partition += 1) await t.write(partition, 1, 3);
      await until(() => both.flatMap((trace) => trace.all).length >= 4, 'the records that came later');
      await sleep(QUIET_MS);
      const offsets = both.flatMap((trace) => trace.all.map(({ offset }) => offset));
      equal(offsets, [3, 3, 3, 3], 'offsets of both');
    },
  ),
  check('a commit is kept by the group, and the next member goes on there', [10], async (t) => {
    const first = t.join();
    await first.received(10);
    await first.commit([t.at(0, 6)]);
    equal(await t.committed(0), 6, 'committed');
    await first.close();
    const second = t.join();
    await second.received(4);
    equal(second.offsets(0), [6, 7, 8, 9], 'offsets of the second member');
  }),
  check('the position moves past markers and aborted records, and can be committed there', [0], async (t) => {
    if (t.subject.transact === undefined) return;
    await t.subject.transact(t.topic, 0, values(2), 'commit');
    await t.subject.transact(t.topic, 0, values(3, 2), 'abort');
    const trace = t.join();
    await until(() => trace.batches.at(-1)?.nextOffset === 7, 'the position behind the last marker', trace);
    equal(trace.offsets(0), [0, 1], 'offsets');
    await t.subject.transact(t.topic, 0, values(1, 5), 'abort');
    await until(() => trace.batches.at(-1)?.nextOffset === 9, 'the position behind another marker', trace);
    await t.subject.transact(t.topic, 0, values(1, 6), 'commit');
    await until(() => trace.batches.at(-1)?.nextOffset === 11, 'the position behind a committed one', trace);
    equal(trace.offsets(0), [0, 1, 9], 'offsets');
    const offsets = trace.batches.map((batch) => batch.nextOffset);
    equal(
      offsets,
      [...new Set(offsets)].sort((a, b) => a - b),
      'positions that only rise',
    );
    await trace.commit([t.at(0, 11)]);
    equal(await t.committed(0), 11, 'committed');
  }),
  check('a commit of another epoch, or of a partition that is not ours, does nothing', [10], async (t) => {
    const trace = t.join();
    await trace.received(10);
    await trace.commit([t.at(0, 5)]);
    await trace.commit([t.at(0, 9)], trace.epoch + 1);
    await trace.commit([t.at(0, 9)], trace.epoch - 1);
    await trace.commit([t.at(7, 9)]);
    equal(await t.committed(0), 5, 'committed');
  }),
  check('a commit below the last one does nothing, until a seek back', [10], async (t) => {
    const trace = t.join();
    await trace.received(10);
    await trace.commit([t.at(0, 8)]);
    await trace.commit([t.at(0, 3)]);
    equal(await t.committed(0), 8, 'committed');
    trace.consumer?.seek(t.at(0, 2));
    await trace.commit([t.at(0, 4)]);
    equal(await t.committed(0), 4, 'committed after the seek');
  }),
  check('a paused partition rests while others go on; resumed, it misses nothing', [5, 5], async (t) => {
    const trace = t.join();
    await trace.received(10);
    trace.consumer?.pause([{ topic: t.topic, partition: 0 }]);
    // What was asked for before the pause may still come.
    await sleep(QUIET_MS);
    await t.write(0, 5, 5);
    await t.write(1, 5, 5);
    await until(() => trace.offsets(1).length === 10, 'the other partition', trace);
    await sleep(QUIET_MS);
    equal(trace.offsets(0).length, 5, 'records of the paused partition');
    trace.consumer?.resume([{ topic: t.topic, partition: 0 }]);
    await until(() => trace.offsets(0).length === 10, 'the resumed partition', trace, 2_000);
    equal(trace.offsets(0), range(0, 10), 'offsets');
  }),
  check('after a seek only records from there come', [20], async (t) => {
    const trace = t.join();
    await trace.received(20);
    trace.consumer?.seek(t.at(0, 15));
    await trace.received(25);
    await sleep(QUIET_MS);
    equal(trace.offsets(0), [...range(0, 20), ...range(15, 20)], 'offsets');
  }),
  check('a rebalance awaits `revoking`, whose commits count, then `lost`, and a higher epoch', [10, 10], async (t) => {
    const first = new KafkaTrace();
    let isSettled = false;
    first.settle = async () => {
      if (isSettled) return;
      await sleep(QUIET_MS);
      await first.commit([t.at(0, 4), t.at(1, 4)]);
      isSettled = true;
    };
    t.join({}, first);
    await first.received(20);
    const second = t.join();
    await second.assignedTo(1);
    await first.assignedTo(1);
    equal(isSettled, true, 'settled before anything was assigned anew');
    equal(first.calls.slice(0, 5), ['assigned 1', 'records', 'revoking', 'lost', 'assigned 2'], 'calls');
    equal([...first.partitions, ...second.partitions].map((one) => one.partition).sort(), [0, 1], 'shares');
    await second.received(6);
    equal(
      second.all.slice(0, 6).map((record) => record.offset),
      range(4, 10),
      'offsets of the second member',
    );
  }),
  check('neither `revoking` nor another `assigned` comes before `assigned` has answered', [2, 2], async (t) => {
    const slow = new KafkaTrace();
    slow.answer = async () => {
      await sleep(QUIET_MS);
      return [];
    };
    t.join({}, slow);
    await until(() => slow.calls.length > 0, 'an assignment', slow);
    const other = t.join();
    await other.assignedTo(1);
    await slow.assignedTo(1);
    await until(() => new Set([...slow.all, ...other.all].map(({ partition }) => partition)).size === 2, 'records');
  }),
  check('a commit of the epoch before a rebalance does nothing', [10, 10], async (t) => {
    const first = t.join();
    await first.received(20);
    const old = first.epoch;
    const second = t.join();
    await second.assignedTo(1);
    await first.assignedTo(1);
    const [theirs] = second.partitions;
    if (theirs === undefined) throw new Error('the second member has no partition');
    await second.commit([{ ...theirs, offset: 9 }]);
    await first.commit([{ ...theirs, offset: 3 }], old);
    await first.commit([{ ...theirs, offset: 3 }]);
    equal(await t.committed(theirs.partition), 9, 'committed');
  }),
  check('close completes the stream, may be called twice, and frees the partitions for others', [0, 0], async (t) => {
    const first = t.join();
    const second = t.join();
    await first.assignedTo(1);
    await second.assignedTo(1);
    await Promise.all([first.close(), first.close()]);
    await until(() => first.isComplete, 'the stream to complete', first, 2_000);
    const calls = first.calls.length;
    await second.assignedTo(2);
    equal(first.calls.length, calls, 'calls after close');
  }),
  check('after unsubscribing nothing is called, and others get the partitions', [0, 0], async (t) => {
    const first = t.join();
    const second = t.join();
    await first.assignedTo(1);
    await second.assignedTo(1);
    first.connection?.unsubscribe();
    const calls = first.calls.length;
    await second.assignedTo(2);
    await t.write(0, 3);
    await second.received(3);
    equal([first.calls.length, first.batches.length, first.isComplete], [calls, 0, false], 'calls afterwards');
  }),
  {
    name: 'a topic that is not there fails with its name, and is not worth a retry',
    run: (subject) => missing(subject, [freshName('nowhere')]),
  },
  {
    name: 'a pattern that matches no topic fails with the pattern',
    run: (subject) => missing(subject, new RegExp(`^${freshName('nowhere')}$`)),
  },
  check('a pattern joins the topics that match it', [1], async (t) => {
    const trace = t.join({ topics: new RegExp(`^${t.topic}$`) });
    await trace.received(1);
    equal(trace.partitions, [{ topic: t.topic, partition: 0 }], 'partitions');
  }),
];

async function missing(subject: KafkaSubject, topics: readonly string[] | RegExp): Promise<void> {
  const trace = new KafkaTrace().join(
    subject.driver,
    kafkaSubscription('none', { topics, groupId: freshName('group') }),
  );
  await until(() => trace.error !== undefined, 'the error');
  const error = trace.error as { code?: string; message: string };
  equal(error.code, 'RXF_KAFKA_TOPIC_MISSING', 'code');
  equal(isRetryable(error), false, 'retryable');
  const name = topics instanceof RegExp ? String(topics) : String(topics[0]);
  if (!error.message.includes(name)) throw new Error(`expected ${name} in: ${error.message}`);
}
