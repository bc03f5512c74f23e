import { Kafka, logLevel } from 'kafkajs';
import { brokers, sleep } from './support.js';

const QUIET_MS = 1_500;
const LONGEST_MS = 60_000;

/** Calls back with each number in a topic, in order of arrival, until nothing has come for a while. */
async function read(topic: string, take: (n: number) => void): Promise<void> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  const consumer = kafka.consumer({
    groupId: `${topic}-reader-${Date.now()}`,
    readUncommitted: false,
    maxWaitTimeInMs: 200,
  });
  let lastAt = Number.NaN;
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch }) => {
        lastAt = Date.now();
        for (const { value } of batch.messages) take((JSON.parse(String(value)) as { n: number }).n);
      },
    });
    // What comes twice may come last.
    const until = Date.now() + LONGEST_MS;
    while (Date.now() < until && !(Date.now() - lastAt > QUIET_MS)) await sleep(100);
  } finally {
    await consumer.disconnect();
  }
}

/** How often each number stands in a topic, for a stock consumer that reads committed records only. */
export async function readCommitted(topic: string): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  await read(topic, (n) => seen.set(n, (seen.get(n) ?? 0) + 1));
  return seen;
}

/** The numbers in a topic, in order of arrival; at least so many. */
export async function readAll(topic: string, least: number): Promise<number[]> {
  const all: number[] = [];
  await read(topic, (n) => all.push(n));
  if (all.length < least) throw new Error(`${topic} holds ${all.length} records, and not ${least}`);
  return all;
}
