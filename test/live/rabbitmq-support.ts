import { describe } from '@jest/globals';
import amqp, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import type { AmqpQueueKind } from 'rxflume/ports';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { brokers, services } from './support.js';

/** Skipped where RabbitMQ is not installed, which `npm test` says loudly. */
export const describeRabbitmq = process.env.RXFLUME_RABBITMQ === 'missing' ? describe.skip : describe;

/** Runs with a channel of a connection of the test's own. */
export async function withChannel<T>(use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const connection: ChannelModel = await amqp.connect(RABBITMQ, { noDelay: true });
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    return await use(channel);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** A queue of each kind behind one exchange, by the name of the kind. */
export async function createQueues(name: string, kinds: readonly AmqpQueueKind[]): Promise<void> {
  await withChannel(async (channel) => {
    await channel.assertExchange(name, 'fanout');
    for (const kind of kinds) {
      // The most returns that a test can cause, and more.
      const limit = kind === 'quorum' ? { 'x-delivery-limit': 1_000 } : {};
      await channel.assertQueue(`${name}.${kind}`, { arguments: { 'x-queue-type': kind, ...limit } });
      await channel.bindQueue(`${name}.${kind}`, name, '');
    }
  });
}

/** Publishes [from, to), numbered, each confirmed once by every queue behind the exchange. */
export async function publishNumbered(exchange: string, from: number, to: number): Promise<void> {
  await withChannel(async (channel) => {
    for (let first = from; first < to; first += 2_000) {
      for (let n = first; n < Math.min(first + 2_000, to); n += 1) {
        const content = Buffer.from(JSON.stringify({ n, text: 'Where is my order?' }));
        channel.publish(exchange, '', content, { persistent: true, mandatory: true });
      }
      await channel.waitForConfirms();
    }
  });
}

/** Waits until a queue has so many messages, out at consumers or not: RabbitMQ counts them now and then. */
export async function hasMessages(queue: string, count: number): Promise<void> {
  let found = '';
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const rows = await services('rabbitmqctl', 'list_queues', '--no-table-headers', 'name', 'messages');
    found = rows.split('\n').find((line) => line.startsWith(`${queue}\t`)) ?? 'no such queue';
    if (found === `${queue}\t${count}`) return;
  }
  throw new Error(`expected ${count} messages in ${queue}, found: ${found}`);
}

export async function deleteQueues(name: string, kinds: readonly string[]): Promise<void> {
  await withChannel(async (channel) => {
    for (const kind of kinds) await channel.deleteQueue(`${name}.${kind}`);
    await channel.deleteExchange(name);
  });
}

/** How often each number is in a queue, which is empty afterwards. */
export async function numbersInQueue(queue: string, quietMs = 1_500): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  await withChannel(async (channel) => {
    let last = Date.now();
    await channel.consume(
      queue,
      (message) => {
        last = Date.now();
        if (message !== null) count(seen, message.content);
      },
      { noAck: true },
    );
    while (Date.now() - last < quietMs) await new Promise((resolve) => setTimeout(resolve, 100));
  });
  return seen;
}

/** How often each number is in a topic, from its beginning to its present end. */
export async function numbersInTopic(topic: string): Promise<Map<number, number>> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const seen = new Map<number, number>();
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const open = new Set(ends.filter(({ high, low }) => high !== low).map(({ partition }) => partition));
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const end = (partition: number) => Number(ends.find((one) => one.partition === partition)?.high ?? 0);
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const { value } of batch.messages) if (value !== null) count(seen, value);
          if (Number(batch.lastOffset()) + 1 >= end(batch.partition)) open.delete(batch.partition);
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
    if (open.size === 0) resolve();
  });
  await consumer.disconnect();
  return seen;
}

function count(seen: Map<number, number>, content: Buffer): void {
  const { n } = JSON.parse(content.toString()) as { n: number };
  seen.set(n, (seen.get(n) ?? 0) + 1);
}
