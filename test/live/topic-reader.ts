import { Kafka, logLevel } from 'kafkajs';
import { brokers, sleep } from './support.js';

const QUIET_MS = 2_000;
const LONGEST_MS = 60_000;

/** How often each number stands in a topic, for a stock consumer that reads committed records only. */
export async function readCommitted(topic: string): Promise<Map<number, number>> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${Date.now()}`, readUncommitted: false });
  const seen = new Map<number, number>();
  let lastAt = Number.NaN;
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch }) => {
        lastAt = Date.now();
        for (const { value } of batch.messages) {
          const { n } = JSON.parse(String(value)) as { n: number };
          seen.set(n, (seen.get(n) ?? 0) + 1);
        }
      },
    });
    // What comes twice may come last, so it is read until nothing has come for a while.
    const until = Date.now() + LONGEST_MS;
    while (Date.now() < until && !(Date.now() - lastAt > QUIET_MS)) await sleep(100);
  } finally {
    await consumer.disconnect();
  }
  return seen;
}
