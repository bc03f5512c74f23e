// The flow under test: numbered JSON records from Kafka into HDFS, told by the environment.
import * as t from 'io-ts';
import { fileSink, flow, json, jsonLines, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { column, parquet } from 'rxflume/formats/parquet';
import { decode, mapValue, retryConnect } from 'rxflume/operators';

interface Landed {
  readonly n: number;
  readonly stream: string;
  readonly offset: number;
}

const env = (name: string) => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: chaos/main.ts starts this`);
  return value;
};
const waits = { firstDelayMs: 100, maxDelayMs: 1_000, maxAttempts: 1_000 };

// The pipe from the harness ends with it, however it ends.
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
process.stdin.unref();

const lake = fileSink<Landed>(
  webhdfs({
    nameNodes: [env('CHAOS_NAMENODE')],
    user: 'flume',
    hostMap: { [env('CHAOS_DATANODE_NAMED')]: env('CHAOS_DATANODE') },
    requestTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    retry: { firstDelayMs: 100, maxDelayMs: 1_000 },
  }),
  {
    root: env('CHAOS_ROOT'),
    path: (value) => `mod=${value.n % 3}`,
    format:
      env('CHAOS_FORMAT') === 'parquet'
        ? parquet({ schema: { n: column.int64(), stream: column.string(), offset: column.int64() } })
        : jsonLines({ compression: 'gzip' }),
    roll: { intervalMs: 1_000 },
    chunk: { maxWaitMs: 200 },
  },
);

export default flow(
  'chaos',
  kafkaSource(
    kafkajs({
      brokers: [env('CHAOS_KAFKA')],
      rebalanceTimeoutMs: 10_000,
      reconnect: waits,
    }),
    {
      topics: [env('CHAOS_TOPIC')],
      groupId: env('CHAOS_GROUP'),
      sessionTimeoutMs: Number(env('CHAOS_SESSION_MS')),
      revokeTimeoutMs: 5_000,
      redeliver: waits,
      ...(env('CHAOS_GUARANTEE') === 'exactly-once' && { resumeFrom: lake.offsetStore }),
    },
  ).pipe(retryConnect(waits)),
  decode(json(t.type({ n: t.number }))),
  mapValue(({ n }, { origin }): Landed => ({ n, stream: origin.stream, offset: origin.offset })),
  lake.write(),
);
