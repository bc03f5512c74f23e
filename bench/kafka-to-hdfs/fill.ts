import { Kafka, logLevel } from 'kafkajs';

/** Makes the topic and fills it with numbered JSON records of about 199 bytes, spread evenly over its partitions. */
export async function fill(of: { topic: string; records: number; partitions: number }): Promise<void> {
  const brokers = (process.env.RXFLUME_KAFKA_BROKERS ?? '').split(',');
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: of.topic, numPartitions: of.partitions }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const perSend = 5_000;
  for (let first = 0; first < of.records; first += perSend) {
    const count = Math.min(perSend, of.records - first);
    const messages = Array.from({ length: count }, (_, at) => {
      const n = first + at;
      return {
        partition: n % of.partitions,
        value: JSON.stringify({
          n,
          lang: n % 4 === 0 ? 'en' : 'zh',
          user: `user-${n % 1000}`,
          text: 'Hello, where is my order? '.repeat(5),
        }),
      };
    });
    await producer.send({ topic: of.topic, messages, acks: 1 });
  }
  await producer.disconnect();
}
