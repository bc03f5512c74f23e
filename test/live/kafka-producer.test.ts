import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { producerContract } from '../../src/testing/contracts/kafka-producer-contract.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

describe('the kafkajs driver writes to a real cluster', () => {
  const kafka = new LiveKafka('lean');
  beforeAll(() => kafka.start(), 30_000);
  afterAll(() => kafka.stop());
  for (const check of producerContract) it(check.name, () => check.run(kafka), 60_000);
});
