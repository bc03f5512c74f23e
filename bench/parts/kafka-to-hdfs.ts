import { Benthos } from '../contestants/benthos.js';
import { Flume } from '../contestants/flume.js';
import { limit, NODE_FLAGS, plainLoop, rxflume } from '../contestants/own.js';
import { atLeast, atMost } from '../lab/bars.js';
import {
  type Contestant,
  contest,
  cpuMicroseconds,
  type Job,
  type Measured,
  recordsPerSecond,
} from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import { chosen, type Part } from '../lab/part.js';
import { ratioOf, rowsOf } from '../lab/rows.js';
import { deleteTopic, fillTopic } from '../lab/topics.js';

const VALUE_BYTES = 199;
const PARTITIONS = 4;

/** Throughput, CPU and memory, from Kafka to files in HDFS. */
export const kafkaToHdfs: Part = {
  name: 'kafka-to-hdfs',
  title: 'Kafka → HDFS',
  async run(bench) {
    const { services, isShort, say } = bench;
    const records = bench.records ?? (isShort ? 600_000 : 3_000_000);
    const rounds = bench.rounds ?? (isShort ? 2 : 5);
    const flumeRecords = Math.min(records, isShort ? 100_000 : 500_000);
    const benthos = new Benthos(services);
    const contestants = chosen(bench, [
      rxflume(services),
      rxflume(services, 'rxflume, at least once', { isExactlyOnce: false }),
      rxflume(services, 'rxflume, flags', {}, NODE_FLAGS),
      rxflume(services, 'rxflume, io-ts', { isDecoding: true }),
      rxflume(services, 'rxflume, io-ts, flags', { isDecoding: true }, NODE_FLAGS),
      plainLoop(services, true),
      limit(services, true),
      benthos.contestant(),
      new Flume(services).contestant(flumeRecords),
    ]);
    const topic = await fillTopic(services.broker, { partitions: PARTITIONS, records, valueBytes: VALUE_BYTES });
    const lake = new Lake(services.hdfsUrl);
    const check = async ({ name }: Contestant, { folder }: Job, measured: Measured) => {
      if (!/^(rxflume|plain|bare)/.test(name)) return;
      const stored = (await lake.files(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
      if (measured.records !== records || stored !== topic.lineBytes) {
        throw new Error(`${measured.records} of ${records} records, ${stored} of ${topic.lineBytes} bytes are stored`);
      }
    };
    try {
      const results = await contest({ contestants, rounds, topic, lake, say, check });
      const ours = 'rxflume';
      const [go, java] = ['benthos 4.27.0', 'Flume 1.11'];
      const rss = (measured: Measured) => measured.peakRssMiB;
      const median = rowsOf(results).find(({ name }) => name === ours);
      return {
        setup:
          `${records} JSON records of ${VALUE_BYTES} bytes, ${PARTITIONS} partitions, uncompressed, one broker, one DataNode; ` +
          `files roll at 64 MiB; ${rounds} rounds. rxflume with one mapValue and one filterValue, the others with nothing between; ` +
          `Flume reads ${flumeRecords} of the records. Flags: node ${NODE_FLAGS.join(' ')}.`,
        rows: rowsOf(results),
        bars: [
          atLeast('throughput by benthos', ratioOf(results, ours, go, recordsPerSecond), 1.2),
          atLeast('throughput by Flume', ratioOf(results, ours, java, recordsPerSecond), 15),
          atLeast('throughput by bare fetch + PUT', ratioOf(results, ours, 'bare fetch + PUT', recordsPerSecond), 0.8),
          atMost('CPU a record by benthos', ratioOf(results, ours, go, cpuMicroseconds), 0.5),
          atMost('peak RSS', Number(median?.peakRssMiB ?? Number.NaN), 256, 'MiB'),
          atMost('peak RSS by at least once', ratioOf(results, ours, 'rxflume, at least once', rss), 1.25),
        ],
      };
    } finally {
      await deleteTopic(services.broker, topic.name);
    }
  },
};
