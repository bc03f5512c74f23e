import type { ErrorCode } from '../../core/error-codes.js';
import type { RxflumeError } from '../../core/errors.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';
import { done, equal } from './checking.js';
import { bytes, check, type ProducerCheck, record, send, take } from './kafka-producer-setting.js';

/** One record in the middle of ten that a broker rejects, for a topic configured like that. */
const ONE_OF_TEN: readonly {
  readonly what: string;
  readonly config: Readonly<Record<string, string>>;
  readonly bad: Partial<KafkaOutgoing>;
  readonly code: ErrorCode;
}[] = [
  {
    what: 'a record without key for a compacted topic',
    config: { 'cleanup.policy': 'compact' },
    bad: { key: null },
    code: 'RXF_KAFKA_RECORD_REJECTED',
  },
  {
    what: 'a record that is too old for its topic',
    config: { 'message.timestamp.before.max.ms': '3600000' },
    bad: { timestamp: 1_000 },
    code: 'RXF_KAFKA_RECORD_REJECTED',
  },
  {
    what: 'a record that is too new for its topic',
    config: { 'message.timestamp.after.max.ms': '3600000' },
    bad: { timestamp: 9_000_000_000_000 },
    code: 'RXF_KAFKA_RECORD_REJECTED',
  },
  {
    what: 'a record that is too large for its topic',
    config: { 'max.message.bytes': '2000' },
    bad: { value: Buffer.alloc(5_000, 'x') },
    code: 'RXF_KAFKA_RECORD_TOO_LARGE',
  },
];

function tenWith(bad: Partial<KafkaOutgoing>): KafkaOutgoing[] {
  const ten = Array.from({ length: 10 }, (_, n) => ({ ...record('t', String(n)), key: bytes(`k${n}`) }));
  return ten.map((one, n) => (n === 4 ? { ...one, ...bad } : one));
}

function rejectionsOf(rejected: ReadonlyMap<number, RxflumeError>) {
  return [...rejected].sort(([a], [b]) => a - b).map(([at, { code, retryable }]) => [at, code, retryable]);
}

/** That what is wrong with a record, a partition or a topic stays with it. */
export const rejectionChecks: readonly ProducerCheck[] = [
  ...ONE_OF_TEN.map(({ what, config, bad, code }) =>
    check(`rejects ${what} alone of ten, and writes the others in order`, async ({ topic, producer, read }) => {
      await topic('t', 1, config);
      const rejected = await send(producer, tenWith(bad));
      equal(rejectionsOf(rejected), [[4, code, false]], 'rejections');
      const values = (await read('t', 9)).map(({ value }) => String(value));
      equal(values, ['0', '1', '2', '3', '5', '6', '7', '8', '9'], 'what is written');
      equal((await send(producer, tenWith({}))).size, 0, 'rejections of the next call');
      equal((await read('t', 19)).length, 19, 'what is written then');
    }),
  ),

  ...ONE_OF_TEN.map(({ what, config, bad, code }) =>
    check(`rejects ${what} alone of ten in a transaction, which goes on`, async (t) => {
      await t.topic('t', 1, config);
      await t.topic('in', 1);
      const transactions = await take(t.producer, t.id('one'));
      equal(rejectionsOf(await send(transactions, tenWith(bad))), [[4, code, false]], 'rejections');
      equal((await send(transactions, tenWith({}))).size, 0, 'rejections of the next call');
      equal(await t.readNow('t'), [], 'what is read before');
      await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 20 }]));
      const values = (await t.read('t', 19)).map(({ value }) => String(value));
      equal(values, [...'012356789', ...'0123456789'], 'what is written');
      equal(await t.committed('group', 'in', 1), [20], 'offsets');
    }),
  ),

  check('rejects records for a topic that was deleted alone', async ({ topic, name, subject, producer, read }) => {
    await topic('t', 1);
    await topic('gone', 1);
    equal((await send(producer, [record('t', 'a'), record('gone', 'b')])).size, 0, 'rejections before');
    await subject.deleteTopic(name('gone'));
    const rejected = await send(producer, [record('gone', 'c'), record('t', 'd'), record('gone', 'e')]);
    const missing = 'RXF_KAFKA_TOPIC_MISSING';
    equal(
      rejectionsOf(rejected),
      [
        [0, missing, false],
        [2, missing, false],
      ],
      'rejections',
    );
    equal(
      (await read('t', 2)).map(({ value }) => String(value)),
      ['a', 'd'],
      'what is written',
    );
  }),

  check('rejects records for a topic that is not ours alone', async ({ topic, name, subject, producer, read }) => {
    if (subject.forbid === undefined) return;
    await topic('t', 1);
    await topic('closed', 1);
    subject.forbid(name('closed'));
    const rejected = await send(producer, [record('closed', 'a'), record('t', 'b')]);
    equal(rejectionsOf(rejected), [[0, 'RXF_KAFKA_AUTH', false]], 'rejections');
    equal(
      (await read('t', 1)).map(({ value }) => String(value)),
      ['b'],
      'what is written',
    );
  }),

  check('lets no partition wait for another that has no leader', async ({ topic, name, subject, producer, read }) => {
    if (subject.setLeaderless === undefined) return;
    await topic('t', 2);
    const of = (partition: number, value: string) => ({ ...record('t', value), partition });
    equal((await send(producer, [of(0, 'a'), of(1, 'b')])).size, 0, 'rejections before');
    subject.setLeaderless(name('t'), 1, true);
    const waiting = [send(producer, [of(1, 'c'), of(0, 'd')]), send(producer, [of(1, 'e')])];
    equal((await send(producer, [of(0, 'f')])).size, 0, 'rejections meanwhile');
    equal((await read('t', 4)).length, 4, 'what is written meanwhile');
    subject.setLeaderless(name('t'), 1, false);
    for (const rejected of await Promise.all(waiting)) equal(rejected.size, 0, 'rejections later');
    const values = (await read('t', 6)).filter(({ partition }) => partition === 1).map(({ value }) => String(value));
    equal(values, ['b', 'c', 'e'], 'what is written to the one without');
  }),

  check('keeps the order of calls that overlap', async ({ topic, producer, read }) => {
    await topic('t', 2);
    const of = (n: number) => ({ ...record('t', String(n)), partition: n % 2 });
    const calls = Array.from({ length: 30 }, (_, call) => send(producer, [of(2 * call), of(2 * call + 1)]));
    for (const rejected of await Promise.all(calls)) equal(rejected.size, 0, 'rejections');
    const all = await read('t', 60);
    for (const one of [0, 1]) {
      const values = all.filter(({ partition }) => partition === one).map(({ value }) => Number(value));
      equal(
        values,
        Array.from({ length: 30 }, (_, at) => 2 * at + one),
        'what is written',
      );
    }
  }),
];
