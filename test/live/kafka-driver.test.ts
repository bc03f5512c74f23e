import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { kafkaContract } from '../../src/testing/contracts/kafka-contract.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';

describe.each(['kafkajs', 'lean'] as const)(
  'the kafkajs driver on a real cluster, records decoded by %s',
  (decoder) => {
    const kafka = new LiveKafka(decoder);
    beforeAll(() => kafka.start(), 30_000);
    afterAll(() => kafka.stop());
    for (const check of kafkaContract) it(check.name, () => check.run(kafka), 60_000);
  },
);
