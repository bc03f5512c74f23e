import { setTimeout } from 'node:timers/promises';
import { type Admin, type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';
import type { Progress } from './ages.js';
import { eventually, pause } from './pause.js';
import type { Landed } from './verdict.js';

export const PARTITIONS = 4;

const SEND_EVERY_MS = 100;
const READ_WITHIN_MS = 120_000;
const ATTEMPTS = 60;
const RETRY_MS = 500;

/** The topic of a run: filled, watched and read back by a plain client that faults do not touch. */
export class Topic {
  readonly name: string;
  readonly #kafka: Kafka;

  constructor(name: string, brokers: readonly string[]) {
    this.name = name;
    const retry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 60 };
    this.#kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry, connectionTimeout: 2_000 });
  }

  create(): Promise<void> {
    return this.#admin(async (admin) => {
      await admin.createTopics({ topics: [{ topic: this.name, numPartitions: PARTITIONS }], waitForLeaders: true });
    });
  }

  remove(): Promise<void> {
    return this.#admin((admin) => admin.deleteTopics({ topics: [this.name] }));
  }

  /** Numbers [from, to), steadily over so long; what a broker's absence held up follows when it is back. */
  async produce(from: number, to: number, overMs: number, signal: AbortSignal): Promise<void> {
    const producer: Producer = this.#kafka.producer();
    await this.#retried(() => producer.connect());
    try {
      const startedAt = Date.now();
      for (let next = from; next < to; ) {
        const due = overMs === 0 ? 1 : Math.min(1, (Date.now() - startedAt) / overMs);
        const end = Math.min(next + 5_000, from + Math.ceil((to - from) * due));
        const messages = Array.from({ length: end - next }, (_, at) => ({
          partition: (next + at) % PARTITIONS,
          value: JSON.stringify({ n: next + at, text: 'Where is my order?' }),
        }));
        if (messages.length > 0) await this.#retried(() => producer.send({ topic: this.name, messages }));
        next = end;
        await pause(SEND_EVERY_MS, signal);
      }
    } finally {
      await producer.disconnect();
    }
  }

  /** How far each partition is filled, and committed by a group. */
  progress(groupId: string): Promise<Progress[]> {
    return this.#admin(async (admin) => {
      const ends = await admin.fetchTopicOffsets(this.name);
      const [committed] = await admin.fetchOffsets({ groupId, topics: [this.name] });
      return ends.map(({ partition, offset }) => {
        const known = committed?.partitions.find((one) => one.partition === partition);
        return { partition, end: Number(offset), committed: Math.max(0, Number(known?.offset ?? 0)) };
      });
    });
  }

  /** How many records a group has not committed yet. */
  async lag(groupId: string): Promise<number> {
    return (await this.progress(groupId)).reduce((total, { end, committed }) => total + end - committed, 0);
  }

  /** All that is in it: what must land, once each. */
  async read(signal: AbortSignal): Promise<Landed[]> {
    const ends = await this.#admin((admin) => admin.fetchTopicOffsets(this.name));
    const total = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
    const records: Landed[] = [];
    const consumer: Consumer = this.#kafka.consumer({ groupId: `${this.name}-truth` });
    await this.#retried(() => consumer.connect());
    try {
      await consumer.subscribe({ topics: [this.name], fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ partition, message: { offset, value } }) => {
          const { n } = JSON.parse(String(value)) as { n: number };
          records.push({ n, stream: `kafka:${this.name}/${partition}`, offset: Number(offset) });
        },
      });
      const isWhole = await eventually(() => records.length >= total, READ_WITHIN_MS, signal);
      if (!isWhole) throw new Error(`${this.name} has ${total} records, but only ${records.length} came`);
    } finally {
      await consumer.disconnect();
    }
    return records;
  }

  #admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    return this.#retried(async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      try {
        return await use(admin);
      } finally {
        await admin.disconnect();
      }
    });
  }

  /** kafkajs does not retry all that it calls retriable: answers of a broker that has just come back, and a refused connection. */
  async #retried<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await act();
      } catch (error) {
        if (!isRetriable(error) || attempt === ATTEMPTS) throw error;
      }
      await setTimeout(RETRY_MS);
    }
  }
}

/** Whether an error, or what caused it, may pass: kafkajs wraps a refused connection as one that is not to be retried. */
function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { retriable?: boolean }).retriable === true || isRetriable(error.cause);
}
