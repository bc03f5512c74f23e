import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KafkajsOptions } from '../../src/drivers/kafkajs/index.js';
import type { KafkaSubscription } from '../../src/ports/kafka-consumer.js';
import { freshName, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { BROKERS, LiveKafka } from '../drivers/kafkajs/live-kafka.js';

describe.each(['kafkajs', 'lean'] as const)('what real brokers and producers write, decoded by %s', (decoder) => {
  const kafka = new LiveKafka(decoder);
  const members: KafkaTrace[] = [];
  beforeAll(() => kafka.start(), 30_000);
  afterAll(() => kafka.stop());
  afterEach(async () => {
    for (const member of members.splice(0)) await member.close();
  });

  async function topicOf(partitions: number, config: Record<string, string> = {}): Promise<string> {
    const topic = freshName('data');
    await kafka.createTopic(topic, partitions, config);
    return topic;
  }

  function join(
    topic: string,
    given: Partial<KafkaSubscription> = {},
    options: Partial<KafkajsOptions> = {},
  ): KafkaTrace {
    const trace = new KafkaTrace().join(kafka.newDriver(options), kafkaSubscription(topic, given));
    members.push(trace);
    return trace;
  }

  it('headers, repeated ones too, and the time of the broker where the topic says so', async () => {
    const topic = await topicOf(1, { 'message.timestamp.type': 'LogAppendTime' });
    const headers = { one: 'eins', two: ['a', 'b'], __proto__x: 'y', empty: '' };
    await kafka.producer.send({ topic, messages: [{ key: 'k', value: 'v', headers, timestamp: '5' }, { value: 'w' }] });
    const trace = join(topic);
    await trace.received(2);
    const [first, second] = trace.all;
    const seen = first?.headerList.map(([name, value]) => [name, String(value)]);
    expect(seen).toEqual([
      ['one', 'eins'],
      ['two', 'a'],
      ['two', 'b'],
      ['__proto__x', 'y'],
      ['empty', ''],
    ]);
    expect(Object.keys(second?.headers ?? { none: 0 })).toEqual([]);
    expect(Math.abs(Date.now() - (first?.timestamp ?? 0))).toBeLessThan(60_000);
  }, 30_000);

  it('one record larger than `maxPartitionBytes` comes alone', async () => {
    const topic = await topicOf(1);
    for (const value of ['small', 'x'.repeat(50_000), 'after']) await kafka.produce(topic, 0, [{ value }]);
    const trace = join(topic, { maxPartitionBytes: 1_000 });
    await trace.received(3);
    expect(trace.all.map((record) => record.value?.length)).toEqual([5, 50_000, 5]);
  }, 30_000);

  it('a position within a batch begins there, compressed or not', async () => {
    for (const config of [{}, { 'compression.type': 'lz4' }]) {
      const topic = await topicOf(1, config);
      await kafka.produce(
        topic,
        0,
        Array.from({ length: 100 }, (_, index) => ({ value: `v${index}` })),
      );
      const trace = new KafkaTrace();
      trace.answer = async () => [{ topic, partition: 0, offset: 42 }];
      members.push(trace.join(kafka.driver, kafkaSubscription(topic)));
      await trace.received(58);
      expect(trace.offsets(0)[0]).toBe(42);
      expect(String(trace.all[0]?.value)).toBe('v42');
    }
  }, 30_000);

  it('aborted transactions and control records are left out, and passed over', async () => {
    const topic = await topicOf(1);
    const producer = kafka.newTransactionalProducer(freshName('tx'));
    await producer.connect();
    for (const [value, isCommitted] of [
      ['a', true],
      ['b', false],
      ['c', true],
      ['d', false],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value }, { value: `${value}${value}` }] });
      await (isCommitted ? transaction.commit() : transaction.abort());
    }
    await producer.disconnect();
    await kafka.produce(topic, 0, [{ value: 'end' }]);
    const trace = join(topic);
    await trace.received(5);
    expect(trace.all.map((record) => String(record.value))).toEqual(['a', 'aa', 'c', 'cc', 'end']);
    expect(trace.batches.at(-1)).toMatchObject({ nextOffset: 13, highWatermark: 13 });
  }, 30_000);

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    "reads %s as Kafka's own Java code writes it",
    async (codec) => {
      const topic = await topicOf(1, { 'compression.type': codec });
      const records = Array.from({ length: 3_000 }, (_, index) => ({
        value: `{"n":${index},"text":"${'abc'.repeat(index % 50)}"}`,
      }));
      await kafka.produce(topic, 0, records);
      const trace = join(topic);
      await trace.received(3_000);
      expect(trace.all.map((record) => String(record.value))).toEqual(records.map(({ value }) => value));
    },
    30_000,
  );

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'reads %s as librdkafka writes it',
    async (codec) => {
      if (!hasKcat()) return;
      const topic = await topicOf(1);
      const lines = Array.from({ length: 3_000 }, (_, index) => `{"n":${index},"text":"${'abc'.repeat(index % 50)}"}`);
      execFileSync('kcat', ['-b', BROKERS.join(','), '-P', '-t', topic, '-z', codec], { input: lines.join('\n') });
      const trace = join(topic);
      await trace.received(3_000);
      expect(trace.all.map((record) => String(record.value))).toEqual(lines);
    },
    30_000,
  );

  it('a batch that inflates beyond `maxBatchBytes` fails the stream and says where', async () => {
    const topic = await topicOf(1, { 'compression.type': 'gzip' });
    await kafka.produce(topic, 0, [{ value: 'x'.repeat(200_000) }]);
    const trace = join(topic, {}, { maxBatchBytes: 100_000 });
    await until(() => trace.error !== undefined, 'the error');
    expect(trace.error).toMatchObject({ code: 'RXF_KAFKA_PROTOCOL', details: { topic, partition: 0, offset: 0 } });
    expect(String(trace.error)).toContain('maxBatchBytes');
  }, 30_000);
});

function hasKcat(): boolean {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
