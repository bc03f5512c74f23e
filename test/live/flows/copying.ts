// The flow of the live tests from Kafka to Kafka: numbered records into another topic, told by the environment.
import { flow, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { retryConnect } from 'rxflume/operators';
import type { GroupProtocol } from 'rxflume/ports';

const env = (name: string, fallback: string) => process.env[name] ?? fallback;
const driver = kafkajs({
  brokers: env('RXFLUME_KAFKA_BROKERS', '127.0.0.1:19092').split(','),
  metadataMaxAgeMs: Number(env('TEST_METADATA_MS', '60000')),
  requestTimeoutMs: Number(env('TEST_REQUEST_MS', '30000')),
});
const copy = kafkaSink<Buffer | null>(driver, { topic: env('TEST_COPY', 'copy'), transaction: { intervalMs: 200 } });
const level = env('TEST_LEVEL', 'exactly-once');

export default flow(
  'copying',
  kafkaSource(driver, {
    topics: [env('TEST_TOPIC', 'numbered')],
    groupId: env('TEST_GROUP', 'copying'),
    sessionTimeoutMs: 6_000,
    protocol: env('TEST_PROTOCOL', 'classic') as GroupProtocol,
    // Small, so that what is out at a kill is a part and not all of it.
    maxPartitionBytes: 64 * 1_024,
    window: { count: 5_000 },
    redeliver: { firstDelayMs: 200, maxDelayMs: 1_000, maxAttempts: 60 },
    ...(level === 'exactly-once' ? { resumeFrom: copy.offsetStore } : {}),
  }).pipe(retryConnect({ firstDelayMs: 200, maxDelayMs: 1_000, maxAttempts: 60 })),
  copy.write(),
);
