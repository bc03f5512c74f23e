import { describe, it } from '@jest/globals';
import { producerContract } from '../../src/testing/contracts/kafka-producer-contract.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';

describe('Kafka in memory keeps the contract of a producer', () => {
  for (const check of producerContract) {
    it(check.name, () => {
      const kafka = new MemoryKafka();
      return check.run({
        driver: kafka,
        createTopic: async (topic, partitions, config) => kafka.createTopic(topic, partitions, config),
        deleteTopic: async (topic) => kafka.deleteTopic(topic),
        forbid: (topic) => kafka.forbid(topic),
        setLeaderless: (topic, partition, isLeaderless) => kafka.setLeaderless(topic, partition, isLeaderless),
      });
    });
  }
});
