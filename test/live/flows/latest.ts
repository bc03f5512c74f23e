// The flow of the live tests that reads from the end of a topic into local files, told by the environment.
import { fileSink, flow, kafkaSource, text } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import { mapValue, retryConnect } from 'rxflume/operators';

const env = (name: string, fallback: string) => process.env[name] ?? fallback;
const lake = fileSink<string>(localDisk(), {
  root: env('TEST_ROOT', '/tmp/latest'),
  path: 'in',
  format: text(),
  roll: { intervalMs: 300 },
});

export default flow(
  'latest',
  kafkaSource(kafkajs({ brokers: env('RXFLUME_KAFKA_BROKERS', '127.0.0.1:19092').split(',') }), {
    topics: [env('TEST_TOPIC', 'latest')],
    groupId: env('TEST_GROUP', 'latest'),
    startAt: 'latest',
    sessionTimeoutMs: 6_000,
    resumeFrom: lake.offsetStore,
  }).pipe(retryConnect({ firstDelayMs: 200, maxDelayMs: 1_000, maxAttempts: 60 })),
  mapValue((value) => String(value)),
  lake.write(),
);
