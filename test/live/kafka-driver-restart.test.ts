import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshName, KafkaTrace, kafkaSubscription, sleep } from '../../src/testing/kafka-contract.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

const run = promisify(execFile);

describe('a broker that restarts', () => {
  const kafka = new LiveKafka();
  beforeAll(() => kafka.start(), 30_000);
  afterAll(() => kafka.stop());

  it('is survived: each record comes once for each commit, and commits go on', async () => {
    const topic = freshName('restart');
    await kafka.createTopic(topic, 2);
    const trace = new KafkaTrace().join(kafka.driver, kafkaSubscription(topic, { sessionTimeoutMs: 30_000 }));
    await kafka.produce(topic, 0, [{ value: 'a' }, { value: 'b' }]);
    await trace.received(2);
    await trace.commit([{ topic, partition: 0, offset: 2 }]);
    await run('scripts/services', ['restart', 'kafka']);
    await sleep(1_000);
    await kafka.produce(topic, 0, [{ value: 'c' }]);
    await kafka.produce(topic, 1, [{ value: 'd' }]);
    await trace.received(4);
    await trace.commit([{ topic, partition: 0, offset: 3 }]);
    expect(await kafka.committed(`${topic}-group`, topic, 0)).toBe(3);
    expect(trace.all.map((record) => String(record.value)).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(trace.error).toBeUndefined();
    expect(trace.notices.length).toBeLessThan(20);
    await trace.close();
  }, 120_000);
});
