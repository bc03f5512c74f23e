// The flow of the live tests: numbered JSON records from Kafka into HDFS, told by the environment.
import * as t from 'io-ts';
import { type CompressionName, fileSink, flow, json, jsonLines, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, mapValue, retryConnect } from 'rxflume/operators';
import type { GroupProtocol } from 'rxflume/ports';

const env = (name: string, fallback: string) => process.env[name] ?? fallback;
const Numbered = t.type({ n: t.number, text: t.string });
const nameNodes = env('RXFLUME_HDFS_URL', 'http://127.0.0.1:19870').split(',');
const metadataMaxAgeMs = Number(env('TEST_METADATA_MS', '60000'));
const requestTimeoutMs = Number(env('TEST_REQUEST_MS', '30000'));

const hostMap = JSON.parse(env('TEST_HOST_MAP', '{}')) as Record<string, string>;

const store =
  process.env.TEST_DISK === undefined
    ? webhdfs({ nameNodes, user: 'flume', hostMap, requestTimeoutMs, idleTimeoutMs: 2 * requestTimeoutMs })
    : localDisk({ root: process.env.TEST_DISK });

const lake = fileSink<{ n: number; text: string }>(store, {
  root: env('TEST_ROOT', '/lake/test'),
  path: (value) => `mod=${value.n % 3}`,
  format: jsonLines({ compression: env('TEST_COMPRESSION', 'gzip') as CompressionName }),
  roll: { intervalMs: Number(env('TEST_ROLL_MS', '1000')) },
});

export default flow(
  'numbered',
  kafkaSource(
    kafkajs({
      brokers: env('RXFLUME_KAFKA_BROKERS', '127.0.0.1:19092').split(','),
      metadataMaxAgeMs,
      requestTimeoutMs,
    }),
    {
      protocol: env('TEST_PROTOCOL', 'classic') as GroupProtocol,
      sessionTimeoutMs: Number(env('TEST_SESSION_MS', '30000')),
      topics: [env('TEST_TOPIC', 'numbered')],
      groupId: env('TEST_GROUP', 'numbered'),
      ...(process.env.RXFLUME_PROCESS !== undefined && { groupInstanceId: process.env.RXFLUME_PROCESS }),
      resumeFrom: lake.offsetStore,
      window: { count: Number(env('TEST_WINDOW', '100000')) },
      redeliver: { firstDelayMs: 200, maxDelayMs: 2_000, maxAttempts: Number(env('TEST_REDELIVER', '60')) },
    },
  ).pipe(retryConnect({ firstDelayMs: 200, maxDelayMs: 2_000, maxAttempts: Number(env('TEST_RETRIES', '30')) })),
  decode(json(Numbered)),
  mapValue(({ n, text }) => ({ n, text })),
  lake.write(),
);
