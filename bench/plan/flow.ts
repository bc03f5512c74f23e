// The flow that is planned and then run: JSON from Kafka, checked and changed, to compressed lines in HDFS.
import { writeFileSync } from 'node:fs';
import { fileSink, flow, json, jsonLines, kafkaSource, MiB } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, filterValue, mapValue } from 'rxflume/operators';

const {
  RXFLUME_KAFKA_BROKERS = '',
  RXFLUME_HDFS_URL = '',
  PLAN_TOPIC = '',
  PLAN_RUN = '',
  PLAN_CPU_FILE,
} = process.env;

// From here on: what Node itself takes to start is not the flow's.
const atStart = process.cpuUsage();
process.on('exit', () => {
  const { user, system } = process.cpuUsage(atStart);
  if (PLAN_CPU_FILE !== undefined) writeFileSync(PLAN_CPU_FILE, String((user + system) / 1e6));
});

const lake = fileSink<Record<string, unknown>>(webhdfs({ nameNodes: [RXFLUME_HDFS_URL], user: 'flume' }), {
  root: `/lake/bench/${PLAN_RUN}`,
  format: jsonLines({ compression: 'gzip' }),
  roll: { bytes: 16 * MiB },
});

export default flow(
  'planned',
  kafkaSource(kafkajs({ brokers: [RXFLUME_KAFKA_BROKERS] }), {
    topics: [PLAN_TOPIC],
    groupId: PLAN_RUN,
    resumeFrom: lake.offsetStore,
  }),
  decode(json()),
  mapValue((value) => ({ ...(value as Record<string, unknown>), seen: true })),
  filterValue((value) => value.seen),
  lake.write(),
);
