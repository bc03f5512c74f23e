import { isRetryable } from '../../core/errors.js';
import { equal, freshName, sleep, until } from './checking.js';
import { check, type KafkaCheck, type KafkaSubject, QUIET_MS, range } from './kafka-setting.js';
import { KafkaTrace, kafkaSubscription } from './kafka-trace.js';

/** What every `KafkaDriver` must do as a member of a group, and where there is no topic. */
export const kafkaGroupContract: readonly KafkaCheck[] = [
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
