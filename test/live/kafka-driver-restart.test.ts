import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isRetryable } from '../../src/core/errors.js';
import { freshName, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

const run = promisify(execFile);

describe('a broker that restarts', () => {
  const kafka = new LiveKafka();
  let trace: KafkaTrace | undefined;
  beforeAll(() => kafka.start(), 30_000);
  afterEach(() => trace?.close());
  afterAll(() => kafka.stop());

  it('is survived: each record comes once for each commit, and commits go on', async () => {
    const topic = freshName('restart');
    await kafka.createTopic(topic, 2);
    const member = new KafkaTrace().join(kafka.driver, kafkaSubscription(topic, { sessionTimeoutMs: 30_000 }));
    trace = member;
    await kafka.produce(topic, 0, [{ value: 'a' }, { value: 'b' }]);
    await member.received(2);
    await member.commit([{ topic, partition: 0, offset: 2 }]);
    expect(member.readings).toEqual([]);
    await run('scripts/services', ['restart', 'kafka']);
    await kafka.produce(topic, 0, [{ value: 'c' }]);
    await kafka.produce(topic, 1, [{ value: 'd' }]);
    await member.received(4);
    // The coordinator loads its groups for a moment; such a rejection says of itself that it may be tried again.
    const isCommitted = () =>
      member.commit([{ topic, partition: 0, offset: 3 }]).then(
        () => true,
        (error: unknown) => !isRetryable(error),
      );
    await until(isCommitted, 'the commit', member);
    expect(await kafka.committed(`${topic}-group`, topic, 0)).toBe(3);
    expect(member.all.map((record) => String(record.value)).sort()).toEqual(['a', 'b', 'c', 'd']);
    await until(() => member.readings.at(-1) === true, 'reading again', member);
    expect(member.readings).toEqual([false, true]);
    expect(member.error).toBeUndefined();
    expect(member.logEvents.length).toBeLessThan(20);
  }, 120_000);

  it('that hangs counts as not reading until it answers again', async () => {
    const topic = freshName('hang');
    await kafka.createTopic(topic, 1);
    const member = new KafkaTrace().join(kafka.driver, kafkaSubscription(topic, { sessionTimeoutMs: 30_000 }));
    trace = member;
    await kafka.produce(topic, 0, [{ value: 'a' }]);
    await member.received(1);
    expect(member.readings).toEqual([]);
    await run('scripts/services', ['pause', 'kafka']);
    try {
      await until(() => member.readings.length === 1, 'the change', member, 2_000);
    } finally {
      await run('scripts/services', ['resume', 'kafka']);
    }
    await until(() => member.readings.length === 2, 'the change back', member);
    await kafka.produce(topic, 0, [{ value: 'b' }]);
    await member.received(2);
    expect([member.readings, member.epoch, member.offsets(0)]).toEqual([[false, true], 1, [0, 1]]);
  }, 60_000);
});
