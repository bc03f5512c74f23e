// npm start -- --services: the same flow from a real Kafka to a real HDFS, which scripts/services starts.
import { Kafka, logLevel } from 'kafkajs';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { chatFlow, TOPIC } from './chat-flow.js';
import type { FeedTarget } from './feed.js';
import { reportedFeed } from './reported-feed.js';

const brokers = (process.env.RXFLUME_KAFKA_BROKERS ?? '127.0.0.1:19092').split(',');
const nameNode = process.env.RXFLUME_HDFS_URL ?? 'http://127.0.0.1:19870';
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });

const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 4 }], waitForLeaders: true });
const producer = kafka.producer();
await producer.connect();

/** The feed's end of a real topic. */
const target: FeedTarget = {
  append: async (topic, values) => {
    await producer.send({
      topic,
      messages: values.map((value) => ({ value: value === null ? null : Buffer.from(value) })),
    });
  },
  recordCount: async (topic) => {
    const partitions = await admin.fetchTopicOffsets(topic);
    return partitions.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  },
};

const root = '/lake/support-chat';
const feed$ = reportedFeed(
  target,
  `The files land in ${root} of HDFS; list them with: scripts/services hdfs -ls -R ${root}`,
);

export default chatFlow(kafkajs({ brokers }), webhdfs({ nameNodes: [nameNode], user: 'flume' }), root, feed$);
