import { FencedError, RxflumeError } from '../../core/errors.js';
import { done, equal, sleep } from './checking.js';
import { rejectionChecks } from './kafka-producer-rejections.js';
import { bytes, check, type ProducerCheck, QUIET_MS, record, send, shown, take } from './kafka-producer-setting.js';

/** What a driver that writes must keep. */
export const producerContract: readonly ProducerCheck[] = [
  check(
    'writes records with all they have, in order, to the partition they name',
    async ({ topic, producer, read }) => {
      await topic('t', 2);
      const headers = [
        ['b', bytes('2')],
        ['a', bytes('1')],
        ['b', null],
        ['b', bytes('')],
      ] as const;
      const records = [
        { ...record('t', 'one'), partition: 1, key: bytes('k'), headers, timestamp: 1_700_000_000_123 },
        { ...record('t', null), partition: 1, key: bytes('k'), timestamp: 1_700_000_000_001 },
        { ...record('t', ''), partition: 0 },
      ];
      equal((await send(producer, records)).size, 0, 'rejections');
      const [first, second, third] = (await read('t', 3)).sort((a, b) => b.partition - a.partition);
      equal(shown(first), '1/0 k=one @1700000000123 b=2 a=1 b=null b=', 'the first');
      equal(shown(second), '1/1 k=null @1700000000001', 'the second');
      equal([third?.partition, third?.offset, third?.key, String(third?.value)], [0, 0, null, ''], 'the third');
      const age = Date.now() - (third?.timestamp ?? 0);
      equal((age >= 0 && age < 60_000) || third?.timestamp === 0, true, `the time of the call, not ${age} ms ago`);
    },
  ),

  check("finds a key's partition as Kafka's own producers do", async ({ topic, producer, read }) => {
    await topic('t', 10);
    // From Kafka's UtilsTest, modulo 10 of the positive hash.
    const known = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107 };
    await send(
      producer,
      Object.keys(known).map((key) => ({ ...record('t', key), key: bytes(key) })),
    );
    const got = (await read('t', 4)).map(({ key, partition }) => [String(key), partition]).sort();
    const wanted = Object.entries(known).map(([key, hash]) => [key, (hash & 0x7fffffff) % 10]);
    equal(got, wanted.sort(), 'partitions');
  }),

  check('gives what has no key to one partition a call, in turn', async ({ topic, producer, read }) => {
    await topic('t', 3);
    for (const call of ['a', 'b', 'c']) await send(producer, [record('t', `${call}1`), record('t', `${call}2`)]);
    const calls = new Map<number, string[]>();
    for (const { partition, value } of await read('t', 6)) {
      calls.set(partition, [...(calls.get(partition) ?? []), String(value)]);
    }
    const pairs = [...calls.values()].map((values) => values.join()).sort();
    equal(pairs, ['a1,a2', 'b1,b2', 'c1,c2'], 'the records of each partition');
  }),

  check('keeps the order of a partition over many calls', async ({ topic, producer, read }) => {
    await topic('t', 1);
    for (let call = 0; call < 20; call += 1) {
      await send(
        producer,
        Array.from({ length: 50 }, (_, at) => record('t', String(call * 50 + at))),
      );
    }
    const values = (await read('t', 1_000)).map(({ value }) => Number(value));
    equal(
      values,
      Array.from({ length: 1_000 }, (_, at) => at),
      'the values',
    );
  }),

  check('rejects a record that is too large alone, before it is sent', async ({ topic, producer, read }) => {
    await topic('t', 1);
    const rejected = await send(producer, [record('t', 'a'), record('t', 'x'.repeat(1_000_001)), record('t', 'b')]);
    equal(
      [...rejected].map(([at, { code }]) => [at, code]),
      [[1, 'RXF_KAFKA_RECORD_TOO_LARGE']],
      'rejections',
    );
    equal(
      (await read('t', 2)).map(({ value }) => String(value)),
      ['a', 'b'],
      'what is written',
    );
  }),

  check('rejects what goes to no topic or no partition alone, for good', async ({ topic, producer, read }) => {
    await topic('t', 1);
    const missing = { ...record('t', 'm'), topic: `missing-${Date.now()}` };
    const beyond = { ...record('t', 'p'), partition: 7 };
    const rejected = await send(producer, [missing, record('t', 'a'), beyond]);
    const got = [...rejected].sort(([a], [b]) => a - b).map(([at, { code, retryable }]) => [at, code, retryable]);
    const wanted = [
      [0, 'RXF_KAFKA_TOPIC_MISSING', false],
      [2, 'RXF_KAFKA_RECORD_REJECTED', false],
    ];
    equal(got, wanted, 'rejections');
    equal(
      (await read('t', 1)).map(({ value }) => String(value)),
      ['a'],
      'what is written',
    );
  }),

  ...rejectionChecks,

  check('shows a transaction when it is committed, with the offsets of the group', async (t) => {
    await t.topic('t', 2);
    await t.topic('in', 2);
    const transactions = await take(t.producer, t.id('one'));
    await send(transactions, [
      { ...record('t', 'a'), partition: 0 },
      { ...record('t', 'b'), partition: 1 },
    ]);
    await send(transactions, [{ ...record('t', 'c'), partition: 0 }]);
    await sleep(QUIET_MS);
    equal(await t.readNow('t'), [], 'what is read before');
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 1, offset: 7 }]));
    equal((await t.read('t', 3)).map(({ value }) => String(value)).sort(), ['a', 'b', 'c'], 'what is read after');
    equal(await t.committed('group', 'in', 2), [-1, 7], 'offsets');
    await send(transactions, [record('t', 'd')]);
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 1, offset: 9 }]));
    equal((await t.read('t', 4)).length, 4, 'what is read after the next');
    equal(await t.committed('group', 'in', 2), [-1, 9], 'offsets after the next');
  }),

  check('commits offsets alone', async (t) => {
    await t.topic('in', 1);
    const transactions = await take(t.producer, t.id('one'));
    for (const offset of [3, 5]) {
      await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset }]));
      equal(await t.committed('group', 'in', 1), [offset], 'offsets');
    }
  }),

  check('aborts what is open, and fences who had it, when an id is taken', async (t) => {
    await t.topic('t', 1);
    await t.topic('in', 1);
    const before = await take(t.producer, t.id('one'));
    await send(before, [record('t', 'void')]);
    const after = await take(t.producer, t.id('one'));
    equal(await t.committed('group', 'in', 1), [-1], 'offsets');
    await send(after, [record('t', 'a')]);
    for (const call of [
      () => send(before, [record('t', 'late')]),
      () => done(before.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 99 }])),
    ]) {
      const error = await call().then(
        () => undefined,
        (problem: unknown) => problem,
      );
      equal([error instanceof FencedError, (error as RxflumeError).code], [true, 'RXF_KAFKA_FENCED'], 'error');
    }
    await done(after.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 1 }]));
    equal(
      (await t.read('t', 1)).map(({ value }) => String(value)),
      ['a'],
      'what is read',
    );
    await sleep(QUIET_MS);
    equal((await t.readNow('t')).length, 1, 'what is read later');
    equal(await t.committed('group', 'in', 1), [1], 'offsets');
  }),

  check('goes on with a transaction of which something was rejected for good', async (t) => {
    await t.topic('t', 1);
    await t.topic('in', 1);
    const transactions = await take(t.producer, t.id('one'));
    const rejected = await send(transactions, [record('t', 'a'), record('t', 'x'.repeat(1_000_001))]);
    equal([...rejected.keys()], [1], 'rejections');
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 1 }]));
    equal((await t.read('t', 1)).length, 1, 'what is read');
  }),

  check('ends when it is unsubscribed from, after which calls fail', async ({ topic, producer, end }) => {
    await topic('t', 1);
    await send(producer, [record('t', 'a')]);
    end();
    const error = await send(producer, [record('t', 'b')]).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    equal(error instanceof RxflumeError && error.code, 'RXF_SINK_STOPPED', 'the error');
  }),
];
