import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { Kafka, logLevel } from 'kafkajs';
import { from, type Subscription } from 'rxjs';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import type { KafkaProducer } from '../../src/ports/kafka-producer.js';
import { root, services, sleep } from './support.js';

/** Whether a cluster can be started here: its brokers have network namespaces, which only root may create. */
export const hasClusters = process.getuid?.() === 0;

/** `scripts/services cluster …`. */
export const cluster = (...args: string[]) => services('cluster', ...args);

/** Starts the nodes of a kind, and answers their addresses. */
export async function startCluster(kind: 'kafka' | 'rabbitmq' | 'hdfs'): Promise<string> {
  await cluster('start', kind);
  const name = `RXFLUME_CLUSTER_${kind.toUpperCase()}=`;
  const line = (await cluster('env')).split('\n').find((one) => one.startsWith(name));
  return (line ?? '').slice(name.length);
}

/** Waits until it holds; an error of the question is an answer that is not there yet. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  let reason: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms until ${what}; ${String(reason ?? '')}`);
    await sleep(100);
  }
}

/** How often each number occurs. */
export type Counted = ReadonlyMap<number, number>;

/** Of lines of JSON. */
function counted(lines: readonly string[]): Counted {
  const seen = new Map<number, number>();
  for (const line of lines) {
    const { n } = JSON.parse(line) as { n: number };
    seen.set(n, (seen.get(n) ?? 0) + 1);
  }
  return seen;
}

/** The numbers below `count` that are not there, and those that are there more than once or are none of them. */
export function verdict(seen: Counted, count: number): { lost: number[]; doubled: number[]; foreign: number[] } {
  const numbers = [...seen.keys()];
  return {
    lost: Array.from({ length: count }, (_, n) => n).filter((n) => !seen.has(n)),
    doubled: numbers.filter((n) => (seen.get(n) ?? 0) > 1),
    foreign: numbers.filter((n) => !(n >= 0 && n < count)),
  };
}

export const NOTHING_WRONG = { lost: [], doubled: [], foreign: [] };

/** Three brokers, asked by a plain client that is none of ours. */
export class KafkaCluster {
  readonly brokers: readonly string[];
  readonly #kafka: Kafka;

  private constructor(brokers: readonly string[]) {
    this.brokers = brokers;
    const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 12 };
    const limits = { connectionTimeout: 2_000, requestTimeout: 3_000 };
    this.#kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry, ...limits });
  }

  static async start(): Promise<KafkaCluster> {
    return new KafkaCluster((await startCluster('kafka')).split(','));
  }

  async admin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Each partition led by another broker first. `settings`: the topic's own. */
  async createTopic(topic: string, replicas: readonly (readonly number[])[], settings: Record<string, string> = {}) {
    const replicaAssignment = replicas.map((one, partition) => ({ partition, replicas: [...one] }));
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await this.admin((admin) =>
      admin.createTopics({ topics: [{ topic, replicaAssignment, configEntries }], waitForLeaders: false }),
    );
    await until(`${topic} has leaders`, async () => (await this.leaders(topic)).every((leader) => leader > 0));
  }

  async leaders(topic: string): Promise<number[]> {
    const { topics } = await this.admin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const partitions = [...(topics[0]?.partitions ?? [])].sort((a, b) => a.partitionId - b.partitionId);
    return partitions.map(({ leader }) => leader);
  }

  async move(topic: string, replicas: readonly (readonly number[])[]): Promise<void> {
    const partitionAssignment = replicas.map((one, partition) => ({ partition, replicas: [...one] }));
    await this.admin((admin) => admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }));
  }

  ends(topic: string): Promise<number[]> {
    return this.admin(async (admin) => {
      const ends = await admin.fetchTopicOffsets(topic);
      return ends.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
    });
  }

  /** What a group has committed, in order of the partitions. */
  committed(groupId: string, topic: string): Promise<number[]> {
    return this.admin(async (admin) => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return [...(found?.partitions ?? [])]
        .sort((a, b) => a.partition - b.partition)
        .map(({ offset }) => Number(offset));
    });
  }

  /**
   * How often each number is in a topic, for a reader of committed records. By Kafka's console consumer, which ends when
   * nothing has come for a while; where fewer than `least` came, it is given longer, as on a busy machine its start takes.
   */
  async numbersIn(topic: string, least: number): Promise<Counted> {
    const seen = await readTopic(topic, 5_000);
    return seen.size < least ? readTopic(topic, 30_000) : seen;
  }
}

async function readTopic(topic: string, quietMs: number): Promise<Counted> {
  const committedOnly = ['--from-beginning', '--isolation-level', 'read_committed', '--timeout-ms', String(quietMs)];
  const text = await cluster('kafka', CONSOLE_CONSUMER, '--topic', topic, ...committedOnly);
  return counted(text.split('\n').filter((line) => line.startsWith('{')));
}

const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
const EVERY_MS = 50;

/** Numbered records into a topic, steadily, by our own driver: it may write none twice, whatever happens to the brokers. */
export class Feeder {
  readonly errors: string[] = [];
  readonly logged: string[] = [];
  #next = 0;
  #open = 0;
  #isStopped = false;
  readonly #subscription: Subscription;

  constructor(brokers: readonly string[], topic: string, partitions: number, perSecond: number) {
    const driver = kafkajs({ brokers: [...brokers], metadataMaxAgeMs: 3_000, requestTimeoutMs: 5_000 });
    const producing = {
      compression: 'none',
      maxRecordBytes: 1 << 20,
      sendTimeoutMs: 60_000,
      transactionTimeoutMs: 60_000,
    } as const;
    const listener = {
      logEvent: (_: string, what: string, message: string) => void this.logged.push(`${what}: ${message}`),
    };
    this.#subscription = driver.open(producing, listener).subscribe({
      next: (producer) => void this.#run(producer, topic, partitions, Math.ceil((perSecond * EVERY_MS) / 1_000)),
      error: (error: Error) => this.errors.push(error.message),
    });
  }

  /** How many records there are. */
  get count(): number {
    return this.#next;
  }

  async #run(producer: KafkaProducer, topic: string, partitions: number, each: number): Promise<void> {
    while (!this.#isStopped) {
      const records = Array.from({ length: each }, () => {
        const n = this.#next++;
        const value = Buffer.from(JSON.stringify({ n, text: 'Where is my order?' }));
        return { topic, partition: n % partitions, key: null, value, headers: [], timestamp: null };
      });
      this.#open += records.length;
      from(producer.send(records)).subscribe({
        next: ({ written, rejected }) => {
          this.#open -= written.length + rejected.size;
          for (const { message } of rejected.values()) this.errors.push(message);
        },
        error: (error: Error) => this.errors.push(error.message),
      });
      await sleep(EVERY_MS);
    }
  }

  /** Resolves when every record is acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    try {
      await until('every record is acknowledged', () => this.#open === 0 || this.errors.length > 0, 70_000);
    } finally {
      this.#subscription.unsubscribe();
    }
  }
}

/** How often each number is in the files below a root of the cluster's HDFS that readers see, by Hadoop's own reader, which asks both NameNodes. */
export async function numbersInLake(folder: string): Promise<Counted> {
  const args = ['cluster', 'hdfs', '-text', `${folder}/mod=*/*`];
  const child = spawn(`${root}scripts/services`, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('{')) lines.push(line);
  return counted(lines);
}

/** How often each number is in the files below a folder of this machine that are complete. */
export function numbersInFiles(folder: string): Counted {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.slice(folder.length).includes('/_rxflume/'));
  return counted(files.flatMap((file) => gunzipSync(readFileSync(file)).toString().split('\n').filter(Boolean)));
}
