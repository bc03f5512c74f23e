// What metrics cost from Kafka to HDFS: all of them, scraped every five seconds, beside none, in turn.
//   npm run bench -- metrics-live [--records <n> --rounds <n>]
import { parseArgs } from 'node:util';
import { rxflume } from '../contestants/own.js';
import { atMost, barLines } from '../lab/bars.js';
import { contest, cpuMicroseconds } from '../lab/contest.js';
import { Lake } from '../lab/lake.js';
import { ratioOf, rowsOf, tableLines } from '../lab/rows.js';
import { startServices } from '../lab/services.js';
import { deleteTopic, fillTopic } from '../lab/topics.js';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '4000000' }, rounds: { type: 'string', default: '9' } },
});
const [withThem, without] = ['metrics', 'no metrics'];

const services = startServices();
const topic = await fillTopic(services.broker, { partitions: 4, records: Number(values.records), valueBytes: 199 });
try {
  const results = await contest({
    contestants: [rxflume(services, withThem, { metrics: 'read' }), rxflume(services, without, { metrics: 'none' })],
    rounds: Number(values.rounds),
    topic,
    lake: new Lake(services.hdfsUrl),
    say: console.log,
  });
  for (const line of tableLines(rowsOf(results))) console.log(line);
  const bars = [
    atMost('CPU a record by that without metrics', ratioOf(results, withThem, without, cpuMicroseconds), 1.02),
  ];
  for (const line of barLines(bars)) console.log(line);
} finally {
  await deleteTopic(services.broker, topic.name);
}
