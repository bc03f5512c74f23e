import { describe, it } from '@jest/globals';
import { kafkaContract } from '../../src/testing/contracts/kafka-contract.js';
import type { ContractRecord } from '../../src/testing/contracts/kafka-setting.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';

function memorySubject() {
  const kafka = new MemoryKafka();
  return {
    driver: kafka,
    createTopic: async (topic: string, partitions: number) => kafka.createTopic(topic, partitions),
    produce: async (topic: string, partition: number, records: readonly ContractRecord[]) => {
      kafka.produce(
        topic,
        partition,
        records.map(({ key, ...record }) => (key == null ? record : { ...record, key })),
      );
    },
    transact: async (
      topic: string,
      partition: number,
      records: readonly ContractRecord[],
      outcome: 'commit' | 'abort',
    ) =>
      kafka.transact(
        topic,
        partition,
        records.map(({ value }) => value),
        outcome,
      ),
    committed: async (groupId: string, topic: string, partition: number) => kafka.committed(groupId, topic, partition),
  };
}

describe('Kafka in memory keeps the contract', () => {
  for (const check of kafkaContract) it(check.name, () => check.run(memorySubject()));
});
