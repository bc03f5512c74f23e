import { describe } from '@jest/globals';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import { describeSink } from '../../../src/testing/describe-sink.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';

describe('the Kafka sink keeps the contract of a sink', () => {
  describeSink('kafkaSink', {
    sink: () => {
      const kafka = new MemoryKafka();
      kafka.createTopic('copy', 2);
      return kafkaSink<string>(kafka, { topic: 'copy' }).write();
    },
    value: (n) => `value ${n}`,
  });
});
