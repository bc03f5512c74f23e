import { Kafka, logLevel } from 'kafkajs';

export const brokers = (process.env.RXFLUME_KAFKA_BROKERS ?? '').split(',');
// A topic made a moment ago may not be known at once.
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } });

export async function createTopic(topic: string, numPartitions: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
  await admin.disconnect();
}

/** Deletes a topic, whose records are of no use any more. */
export async function deleteTopic(topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

/** Fills a topic with numbered JSON records of about 199 bytes, with the user as key, spread evenly over its partitions. */
export async function fill(topic: string, records: number, partitions: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const perSend = 2_000;
  for (let first = 0; first < records; first += perSend) {
    const messages = Array.from({ length: Math.min(perSend, records - first) }, (_, at) => {
      const n = first + at;
      return {
        partition: n % partitions,
        key: `user-${n % 1000}`,
        value: JSON.stringify({ n, lang: n % 4 === 0 ? 'en' : 'zh', text: 'Hello, where is my order? '.repeat(6) }),
      };
    });
    await producer.send({ topic, messages, acks: 1 });
  }
  await producer.disconnect();
}

/** How many records a topic's partitions hold, markers of transactions not counted out. */
export async function length(topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
