import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { freshName, KafkaTrace, kafkaSubscription } from '../../src/testing/kafka-contract.js';
import { brokers, sleep } from './support.js';

const QUIET_MS = 1_500;
const LONGEST_MS = 60_000;

/**
 * The numbers in a topic, in order of arrival; committed records only. Not by kafkajs's own consumer: it shows records of
 * aborted transactions, where Kafka's console consumer and ours do not.
 */
async function read(topic: string): Promise<number[]> {
  const trace = new KafkaTrace().join(kafkajs({ brokers }), kafkaSubscription(topic, { groupId: freshName('reader') }));
  // What comes twice may come last, so it is read until nothing has come for a while.
  const until = Date.now() + LONGEST_MS;
  let seen = { count: 0, at: Number.NaN };
  while (Date.now() < until && !(Date.now() - seen.at > QUIET_MS) && trace.error === undefined) {
    await sleep(100);
    const count = trace.batches.reduce((sum, { records }) => sum + records.length, 0);
    if (count > seen.count) seen = { count, at: Date.now() };
  }
  await trace.close();
  if (trace.error !== undefined) throw trace.error;
  return trace.all.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n);
}

/** How often each number stands in a topic, for a reader of committed records. */
export async function readCommitted(topic: string): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  for (const n of await read(topic)) seen.set(n, (seen.get(n) ?? 0) + 1);
  return seen;
}

/** The numbers in a topic, in order of arrival; at least so many. */
export async function readAll(topic: string, least: number): Promise<number[]> {
  const all = await read(topic);
  if (all.length < least) throw new Error(`${topic} holds ${all.length} records, and not ${least}`);
  return all;
}
