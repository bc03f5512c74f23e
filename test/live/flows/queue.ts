// The flow of the live tests of RabbitMQ: numbered JSON messages of a queue, or a stream, to where the environment says.
import * as t from 'io-ts';
import {
  amqpSink,
  amqpSource,
  amqpStreamSource,
  type Delivery,
  fileSink,
  flow,
  json,
  jsonLines,
  kafkaSink,
  type Source,
} from 'rxflume';
import { amqplib } from 'rxflume/drivers/amqplib';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, mapValue, retryConnect } from 'rxflume/operators';

const env = (name: string, fallback: string) => process.env[name] ?? fallback;
const Numbered = t.type({ n: t.number, text: t.string });
const patience = { firstDelayMs: 200, maxDelayMs: 1_000, maxAttempts: 120 };
const urls = env('TEST_RABBITMQ', 'amqp://127.0.0.1:19672');
const limits = {
  connectTimeoutMs: 3_000,
  closeTimeoutMs: 1_000,
  heartbeatSeconds: Number(env('TEST_HEARTBEAT_SECONDS', '10')),
};
const rabbitmq = amqplib({ urls: urls.split(','), ...limits });
const target = amqplib({ urls: env('TEST_TO_RABBITMQ', urls).split(','), ...limits });
const brokers = env('RXFLUME_KAFKA_BROKERS', '127.0.0.1:19092').split(',');
const queues = [env('TEST_QUEUE', 'numbered')];
const to = env('TEST_TO', 'hdfs');

const store =
  process.env.TEST_DISK === undefined
    ? webhdfs({
        nameNodes: env('RXFLUME_HDFS_URL', 'http://127.0.0.1:19870').split(','),
        user: 'flume',
        requestTimeoutMs: Number(env('TEST_REQUEST_MS', '30000')),
      })
    : localDisk({ root: process.env.TEST_DISK });
const lake = fileSink<{ n: number; text: string }>(store, {
  root: env('TEST_ROOT', '/lake/test'),
  path: (value) => `mod=${value.n % 3}`,
  format: jsonLines({ compression: 'gzip' }),
  roll: { intervalMs: 2_000 },
});

const shared = { queues, reconnect: patience, redeliver: patience };
const source: Source<Delivery<Buffer>> =
  env('TEST_KIND', 'classic') === 'stream'
    ? amqpStreamSource(rabbitmq, { ...shared, ...(to === 'hdfs' ? { resumeFrom: lake.offsetStore } : {}) })
    : amqpSource(rabbitmq, { ...shared, prefetch: Number(env('TEST_PREFETCH', '20000')) });
const patient = source.pipe(retryConnect(patience));

export default to === 'hdfs'
  ? flow(
      'queue-to-hdfs',
      patient,
      decode(json(Numbered)),
      mapValue(({ n, text }) => ({ n, text })),
      lake.write(),
    )
  : to === 'kafka'
    ? flow('queue-to-kafka', patient, kafkaSink<Buffer>(kafkajs({ brokers }), { topic: queues[0] as string }).write())
    : flow(
        'queue-to-queue',
        patient,
        amqpSink<Buffer>(target, { routingKey: env('TEST_TO_QUEUE', 'copied'), reconnect: patience }).write(),
      );
