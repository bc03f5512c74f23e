import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freshName, sleep, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

describe('a topic that is deleted and created again while it is read', () => {
  const kafka = new LiveKafka();
  let member: KafkaTrace | undefined;
  beforeAll(() => kafka.start(), 30_000);
  afterEach(() => member?.close());
  afterAll(() => kafka.stop());

  const values = (count: number) => Array.from({ length: count }, (_, n) => ({ value: `v${n}` }));

  it.each(['read', 'paused'] as const)(
    'and outgrows the old position: nothing of it is skipped (%s meanwhile)',
    async (how) => {
      const topic = freshName('kafka-again');
      await kafka.createTopic(topic, 1);
      await kafka.produce(topic, 0, values(5));
      const trace = new KafkaTrace();
      member = trace;
      trace.join(kafka.newDriver({ metadataMaxAgeMs: 500 }), kafkaSubscription(topic));
      await trace.received(5);
      if (how === 'paused') trace.consumer?.pause(trace.partitions);
      await kafka.deleteTopic(topic);
      // The name is free when the broker has let go of it.
      for (let tries = 0; tries < 50; tries += 1) {
        const isMade = await kafka.createTopic(topic, 1).then(
          () => true,
          () => false,
        );
        if (isMade) break;
        await sleep(100);
      }
      await kafka.produce(topic, 0, values(10));
      await until(() => trace.error !== undefined, 'the failure', trace);
      expect(trace.error).toMatchObject({
        message: expect.stringContaining(`${topic} `),
        details: expect.objectContaining(how === 'paused' ? { topic, before: expect.any(String) } : {}),
      });
      expect(trace.offsets(0)).toEqual([0, 1, 2, 3, 4]);
    },
    30_000,
  );
});
