// The bare loop: kafkajs eachBatch and sendBatch, idempotent, acknowledged by all replicas in sync; no transactions.
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { startMeasure } from '../lab/measure.js';
import { brokers } from './topics.js';

const [topic = '', copy = '', count = '', group = ''] = process.argv.slice(2);
const done = startMeasure();
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 200 });
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await Promise.all([consumer.connect(), producer.connect()]);
await consumer.subscribe({ topic, fromBeginning: true });
let records = 0;
const finished = new Promise<void>((resolve, reject) => {
  consumer
    .run({
      autoCommitInterval: 1_000,
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch }) => {
        const messages = batch.messages.map(({ key, value, headers, timestamp }) => ({
          key,
          value,
          timestamp,
          ...(headers === undefined ? {} : { headers }),
        }));
        await producer.sendBatch({ acks: -1, topicMessages: [{ topic: copy, messages }] });
        records += messages.length;
        if (records >= Number(count)) resolve();
      },
    })
    .catch(reject);
});
await finished;
done(records);
process.exit(0);
