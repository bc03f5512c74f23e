import { Monitor } from '../../../src/core/monitor.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { SourceRun } from '../../support/source-run.js';

/** Reads the topic `chat`. */
export function start(kafka: MemoryKafka, options: Partial<KafkaSourceOptions> = {}) {
  const monitor = new Monitor();
  const commit = { count: 1_000, intervalMs: 100 };
  const run = new SourceRun(kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', commit, monitor, ...options }));
  return Object.assign(run, { monitor, values: () => run.seen.map((delivery) => String(delivery.value)) });
}

/** A cluster with the topic `chat`, and these values in its first partition. */
export function chat(partitions: number, ...values: string[]) {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  kafka.produce('chat', 0, values);
  return kafka;
}
