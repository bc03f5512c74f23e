import * as t from 'io-ts';
import { fileSink, flow, json, jsonLines, kafkaSource, MiB } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, filterValue, retryConnect } from 'rxflume/operators';

const brokers = (process.env.RXFLUME_KAFKA_BROKERS ?? '127.0.0.1:19092').split(',');
const nameNodes = (process.env.RXFLUME_HDFS_URL ?? 'http://127.0.0.1:19870').split(',');
const topic = process.env.RXFLUME_TOPIC ?? 'chat';

const Message = t.type({ n: t.number, lang: t.string, text: t.string });

const lake = fileSink<t.TypeOf<typeof Message>>(webhdfs({ nameNodes, user: 'flume' }), {
  root: `/lake/${topic}`,
  path: (value) => `lang=${value.lang}`,
  format: jsonLines({ compression: 'gzip' }),
  roll: { bytes: 128 * MiB, intervalMs: 60_000 },
});

export default flow(
  'kafka-to-hdfs',
  kafkaSource(kafkajs({ brokers }), { topics: [topic], groupId: 'chat-lake', resumeFrom: lake.offsetStore }).pipe(
    retryConnect(),
  ),
  decode(json(Message)),
  filterValue((message) => message.lang === 'zh'),
  lake.write(),
);
