import type { KafkaBatch } from '../../ports/kafka-consumer.js';
import { equal, sleep, until } from './checking.js';
import { kafkaGroupContract } from './kafka-group-contract.js';
import { check, type KafkaCheck, QUIET_MS, range, values } from './kafka-setting.js';
import { KafkaTrace } from './kafka-trace.js';

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
    'a start without a committed offset is reported once, before any record, and can be remembered',
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
  ...kafkaGroupContract,
];
