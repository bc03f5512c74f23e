import { firstValueFrom, from, map } from 'rxjs';
import { FencedError, RxflumeError } from '../core/errors.js';
import type { KafkaDriver, KafkaRecord, KafkaSubscription, PartitionOffset } from '../ports/kafka-consumer.js';
import type {
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducerDriver,
  KafkaProducing,
  KafkaTransactions,
} from '../ports/kafka-producer.js';
import { done, KafkaTrace, sleep, until } from './kafka-contract.js';

/** A driver that writes, with the cluster behind it and a way to read. Topics are made by the checks and left behind. */
export interface ProducerSubject {
  readonly driver: KafkaProducerDriver & KafkaDriver;
  createTopic(topic: string, partitions: number): Promise<void>;
}

export interface ProducerCheck {
  readonly name: string;
  run(subject: ProducerSubject): Promise<void>;
}

const PRODUCING: KafkaProducing = {
  compression: 'none',
  maxRecordBytes: 1_000_000,
  sendTimeoutMs: 20_000,
  transactionTimeoutMs: 20_000,
};
const QUIET_MS = 300;
let names = 0;

export const producerContract: readonly ProducerCheck[] = [
  check(
    'writes records with all they have, in order, to the partition they name',
    async ({ topic, producer, read }) => {
      await topic('t', 2);
      const headers = { a: bytes('1'), b: [bytes('2'), bytes('')] };
      const records = [
        { ...record('t', 'one'), partition: 1, key: bytes('k'), headers, timestamp: 1_700_000_000_123 },
        { ...record('t', null), partition: 1, key: bytes('k'), timestamp: 1_700_000_000_001 },
        { ...record('t', ''), partition: 0 },
      ];
      expectEqual((await send(producer, records)).size, 0, 'refusals');
      const [first, second, third] = (await read('t', 3)).sort((a, b) => b.partition - a.partition);
      expectEqual(shown(first), '1/0 k=one @1700000000123 a=1 b=2 b=', 'the first');
      expectEqual(shown(second), '1/1 k=null @1700000000001', 'the second');
      expectEqual([third?.partition, third?.offset, third?.key, String(third?.value)], [0, 0, null, ''], 'the third');
      const age = Date.now() - (third?.timestamp ?? 0);
      expectEqual(
        (age >= 0 && age < 60_000) || third?.timestamp === 0,
        true,
        `the time of the call, not ${age} ms ago`,
      );
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
    expectEqual(got, wanted.sort(), 'partitions');
  }),

  check('gives what has no key to one partition a call, in turn', async ({ topic, producer, read }) => {
    await topic('t', 3);
    for (const call of ['a', 'b', 'c']) await send(producer, [record('t', `${call}1`), record('t', `${call}2`)]);
    const calls = new Map<number, string[]>();
    for (const { partition, value } of await read('t', 6)) {
      calls.set(partition, [...(calls.get(partition) ?? []), String(value)]);
    }
    const pairs = [...calls.values()].map((values) => values.join()).sort();
    expectEqual(pairs, ['a1,a2', 'b1,b2', 'c1,c2'], 'the records of each partition');
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
    expectEqual(
      values,
      Array.from({ length: 1_000 }, (_, at) => at),
      'the values',
    );
  }),

  check('refuses a record that is too large alone, before it is sent', async ({ topic, producer, read }) => {
    await topic('t', 1);
    const refused = await send(producer, [record('t', 'a'), record('t', 'x'.repeat(1_000_001)), record('t', 'b')]);
    expectEqual(
      [...refused].map(([at, { code }]) => [at, code]),
      [[1, 'RXF_KAFKA_RECORD_TOO_LARGE']],
      'refusals',
    );
    expectEqual(
      (await read('t', 2)).map(({ value }) => String(value)),
      ['a', 'b'],
      'what is written',
    );
  }),

  check('refuses what goes to no topic or no partition alone, for good', async ({ topic, producer, read }) => {
    await topic('t', 1);
    const missing = { ...record('t', 'm'), topic: `missing-${Date.now()}` };
    const beyond = { ...record('t', 'p'), partition: 7 };
    const refused = await send(producer, [missing, record('t', 'a'), beyond]);
    const got = [...refused].sort(([a], [b]) => a - b).map(([at, { code, retryable }]) => [at, code, retryable]);
    const wanted = [
      [0, 'RXF_KAFKA_TOPIC_MISSING', false],
      [2, 'RXF_KAFKA_REFUSED', false],
    ];
    expectEqual(got, wanted, 'refusals');
    expectEqual(
      (await read('t', 1)).map(({ value }) => String(value)),
      ['a'],
      'what is written',
    );
  }),

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
    expectEqual(await t.readNow('t'), [], 'what is read before');
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 1, offset: 7 }]));
    expectEqual((await t.read('t', 3)).map(({ value }) => String(value)).sort(), ['a', 'b', 'c'], 'what is read after');
    expectEqual(await t.committed('group', 'in', 2), [-1, 7], 'offsets');
    await send(transactions, [record('t', 'd')]);
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 1, offset: 9 }]));
    expectEqual((await t.read('t', 4)).length, 4, 'what is read after the next');
    expectEqual(await t.committed('group', 'in', 2), [-1, 9], 'offsets after the next');
  }),

  check('commits offsets alone', async (t) => {
    await t.topic('in', 1);
    const transactions = await take(t.producer, t.id('one'));
    for (const offset of [3, 5]) {
      await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset }]));
      expectEqual(await t.committed('group', 'in', 1), [offset], 'offsets');
    }
  }),

  check('aborts what is open, and fences who had it, when an id is taken', async (t) => {
    await t.topic('t', 1);
    await t.topic('in', 1);
    const before = await take(t.producer, t.id('one'));
    await send(before, [record('t', 'void')]);
    const after = await take(t.producer, t.id('one'));
    expectEqual(await t.committed('group', 'in', 1), [-1], 'offsets');
    await send(after, [record('t', 'a')]);
    for (const call of [
      () => send(before, [record('t', 'late')]),
      () => done(before.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 99 }])),
    ]) {
      const error = await call().then(
        () => undefined,
        (problem: unknown) => problem,
      );
      expectEqual([error instanceof FencedError, (error as RxflumeError).code], [true, 'RXF_KAFKA_FENCED'], 'error');
    }
    await done(after.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 1 }]));
    expectEqual(
      (await t.read('t', 1)).map(({ value }) => String(value)),
      ['a'],
      'what is read',
    );
    await sleep(QUIET_MS);
    expectEqual((await t.readNow('t')).length, 1, 'what is read later');
    expectEqual(await t.committed('group', 'in', 1), [1], 'offsets');
  }),

  check('goes on with a transaction of which something was refused for good', async (t) => {
    await t.topic('t', 1);
    await t.topic('in', 1);
    const transactions = await take(t.producer, t.id('one'));
    const refused = await send(transactions, [record('t', 'a'), record('t', 'x'.repeat(1_000_001))]);
    expectEqual([...refused.keys()], [1], 'refusals');
    await done(transactions.commit(t.id('group'), [{ topic: t.name('in'), partition: 0, offset: 1 }]));
    expectEqual((await t.read('t', 1)).length, 1, 'what is read');
  }),

  check('ends with close, after which calls fail', async ({ topic, producer }) => {
    await topic('t', 1);
    const sending = send(producer, [record('t', 'a')]);
    await Promise.all([sending, done(producer.close()), done(producer.close())]);
    const error = await send(producer, [record('t', 'b')]).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    expectEqual(error instanceof RxflumeError && error.code, 'RXF_SINK_STOPPED', 'the error');
  }),
];

interface Setting {
  readonly producer: KafkaProducer;
  /** Makes a topic that nobody else has, by a short name. */
  topic(name: string, partitions: number): Promise<void>;
  /** The whole name of a topic. */
  name(short: string): string;
  /** An id that nobody else has. */
  id(short: string): string;
  /** Reads so many records, in order of arrival. */
  read(topic: string, count: number): Promise<KafkaRecord[]>;
  /** What can be read now. */
  readNow(topic: string): Promise<KafkaRecord[]>;
  /** What a group has committed in the partitions of a topic, −1 where nothing. */
  committed(group: string, topic: string, partitions: number): Promise<number[]>;
}

function check(name: string, run: (setting: Setting) => Promise<void>): ProducerCheck {
  return {
    name,
    run: async (subject) => {
      const { driver } = subject;
      names += 1;
      const own = (short: string) => `${short}-${names}-${Date.now().toString(36)}`;
      const known = new Map<string, string>();
      const nameOf = (short: string) => {
        if (!known.has(short)) known.set(short, own(short));
        return known.get(short) as string;
      };
      let readers = 0;
      const reading = async (short: string, wait: (trace: KafkaTrace) => Promise<void>) => {
        readers += 1;
        const trace = new KafkaTrace().join(driver, subscription(nameOf(short), `${nameOf(short)}-reader-${readers}`));
        await until(() => trace.consumer !== undefined && trace.partitions.length > 0, 'a reader', trace);
        await wait(trace);
        await trace.close();
        return trace.all;
      };
      const producer = await opened(driver);
      try {
        await run({
          producer: naming(producer, (topic) => known.get(topic) ?? topic),
          topic: (short, partitions) => subject.createTopic(nameOf(short), partitions),
          name: nameOf,
          id: nameOf,
          read: (short, count) => reading(short, (trace) => trace.received(count)),
          readNow: (short) => reading(short, () => sleep(QUIET_MS)),
          committed: async (group, short, partitions) => {
            const asked = Array.from({ length: partitions }, (_, partition) => ({ topic: nameOf(short), partition }));
            const offsets = await firstValueFrom(from(producer.committed(nameOf(group), asked)));
            return asked.map((one) => offsets.find(({ partition }) => partition === one.partition)?.offset ?? -1);
          },
        });
      } finally {
        await done(producer.close());
      }
    },
  };

  function opened(driver: KafkaProducerDriver): Promise<KafkaProducer> {
    return new Promise((resolve, reject) => {
      driver.open(PRODUCING, { notice: () => undefined }).subscribe({ next: resolve, error: reject });
    });
  }
}

/** The same with short names of topics. */
function naming(producer: KafkaProducer, whole: (topic: string) => string): KafkaProducer {
  const named = (records: readonly KafkaOutgoing[]) => records.map((one) => ({ ...one, topic: whole(one.topic) }));
  return {
    send: (records) => producer.send(named(records)),
    take: (id) =>
      from(producer.take(id)).pipe(
        map((transactions) => ({
          send: (records: readonly KafkaOutgoing[]) => transactions.send(named(records)),
          commit: (groupId: string, offsets: readonly PartitionOffset[]) => transactions.commit(groupId, offsets),
        })),
      ),
    committed: (groupId, partitions) => producer.committed(groupId, partitions),
    close: () => producer.close(),
  };
}

function subscription(topic: string, groupId: string): KafkaSubscription {
  return {
    topics: [topic],
    groupId,
    startAt: 'earliest',
    maxPartitionBytes: 1 << 20,
    maxWaitMs: 100,
    revokeTimeoutMs: 2_000,
    sessionTimeoutMs: 10_000,
  };
}

function record(topic: string, value: string | null): KafkaOutgoing {
  return {
    topic,
    partition: null,
    key: null,
    value: value === null ? null : bytes(value),
    headers: {},
    timestamp: null,
  };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

async function send(through: KafkaProducer | KafkaTransactions, records: readonly KafkaOutgoing[]) {
  return (await firstValueFrom(from(through.send(records)))).refused;
}

async function take(producer: KafkaProducer, id: string): Promise<KafkaTransactions> {
  return firstValueFrom(from(producer.take(id)));
}

function shown(record: KafkaRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const headers = Object.entries(record.headers).flatMap(([name, values]) =>
    (values instanceof Uint8Array ? [values] : values).map((value) => ` ${name}=${Buffer.from(value).toString()}`),
  );
  const value = record.value === null ? 'null' : record.value.toString();
  return `${record.partition}/${record.offset} ${record.key?.toString()}=${value} @${record.timestamp}${headers.join('')}`;
}

function expectEqual(got: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`Expected ${what} to be ${b}, got ${a}`);
}
