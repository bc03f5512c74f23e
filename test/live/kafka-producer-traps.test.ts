import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, from, type Subscription } from 'rxjs';
import type { KafkaOutgoing, KafkaProducer, KafkaProducing } from '../../src/ports/kafka-producer.js';
import { send } from '../../src/testing/contracts/kafka-producer-setting.js';
import { CutNet, LiveKafka } from '../drivers/kafkajs/live-kafka.js';
import { fresh, services, sleep } from './support.js';
import { readAll } from './topic-reader.js';

jest.setTimeout(120_000);

const PRODUCING: KafkaProducing = {
  compression: 'none',
  maxRecordBytes: 1_000_000,
  sendTimeoutMs: 60_000,
  transactionTimeoutMs: 10_000,
};
const kafka = new LiveKafka('lean');
const connections: Subscription[] = [];

async function open(producing: Partial<KafkaProducing> = {}, net = new CutNet()): Promise<KafkaProducer> {
  const driver = kafka.newDriver({ requestTimeoutMs: 5_000 }, net);
  return new Promise((resolve, reject) => {
    const opened$ = driver.open({ ...PRODUCING, ...producing }, { logEvent: () => undefined });
    connections.push(opened$.subscribe({ next: resolve, error: reject }));
  });
}

function records(topic: string, first: number, count: number, text = ''): KafkaOutgoing[] {
  return Array.from({ length: count }, (_, at) => {
    const value = Buffer.from(JSON.stringify({ n: first + at, text }));
    return { topic, partition: null, key: Buffer.from(`k${(first + at) % 7}`), value, headers: [], timestamp: null };
  });
}

async function topicOf(partitions: number, config: Record<string, string> = {}): Promise<string> {
  const topic = fresh('produced');
  await kafka.createTopic(topic, partitions, config);
  return topic;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('the kafkajs driver, writing', () => {
  beforeAll(() => kafka.start(), 30_000);
  afterAll(async () => {
    for (const connection of connections) connection.unsubscribe();
    await kafka.stop();
  });

  const canZstd = 'zstdCompressSync' in process.getBuiltinModule('node:zlib');
  const codecs = ['none', 'gzip', 'snappy', 'lz4', ...(canZstd ? (['zstd'] as const) : [])] as const;
  it.each(codecs)('compresses by %s what the broker and others can read', async (compression) => {
    // The broker compresses them anew, so it reads every record itself; the stock reader has gzip only.
    const topic = await topicOf(1, { 'compression.type': compression === 'gzip' ? 'uncompressed' : 'gzip' });
    const producer = await open({ compression });
    expect((await send(producer, records(topic, 0, 2_000, 'Where is my order? '.repeat(9)))).size).toBe(0);
    expect(await readAll(topic, 2_000)).toEqual(numbers(2_000));
  });

  it('finds the one record that is too large for the topic, and writes the others in order', async () => {
    const topic = await topicOf(1, { 'max.message.bytes': '2000' });
    const all = [...records(topic, 0, 30), ...records(topic, 30, 1, 'x'.repeat(5_000)), ...records(topic, 31, 30)];
    const rejected = await send(await open(), all);
    expect([...rejected].map(([index, { code }]) => [index, code])).toEqual([[30, 'RXF_KAFKA_RECORD_TOO_LARGE']]);
    expect(await readAll(topic, 60)).toEqual(numbers(61).filter((n) => n !== 30));
  });

  it('writes each record once through cuts and a restart of the broker', async () => {
    const topic = await topicOf(2);
    const net = new CutNet();
    const producer = await open({}, net);
    let sent = 0;
    const disturbing = (async () => {
      for (let cuts = 0; cuts < 6; cuts += 1) {
        await sleep(150);
        net.breakAll();
      }
      await services('restart', 'kafka');
    })();
    let isDisturbed = true;
    void disturbing.finally(() => {
      isDisturbed = false;
    });
    while (isDisturbed || sent < 10_000) {
      expect((await send(producer, records(topic, sent, 100))).size).toBe(0);
      sent += 100;
    }
    await disturbing;
    const seen = (await readAll(topic, sent)).sort((a, b) => a - b);
    expect(seen).toEqual(numbers(sent));
  });

  it('ends a transaction of which an answer was lost, and another takes the id', async () => {
    const topic = await topicOf(1);
    const net = new CutNet();
    const producer = await open({ sendTimeoutMs: 3_000 }, net);
    const id = fresh('id');
    const before = await firstValueFrom(from(producer.take(id)));
    await send(before, records(topic, 100, 10));
    const committing = firstValueFrom(from(before.commit(fresh('g'), [{ topic, partition: 0, offset: 1 }])));
    net.breakAll();
    const error = await committing.catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'RXF_KAFKA_TRANSACTION', retryable: true });
    await expect(send(before, records(topic, 200, 1))).rejects.toBe(error);
    const after = await firstValueFrom(from(producer.take(id)));
    await send(after, records(topic, 0, 5));
    await firstValueFrom(from(after.commit(fresh('g'), [{ topic, partition: 0, offset: 2 }])));
    // Whether the first was committed is not known; of the second all is.
    const seen = await readAll(topic, 5);
    expect([seen.slice(-5), [0, 10]]).toEqual([numbers(5), expect.arrayContaining([seen.length - 5])]);
  });

  it('cannot reach a cluster that is not there, and says so', async () => {
    const net = new CutNet();
    net.cut(1);
    await expect(open({}, net)).rejects.toMatchObject({ code: 'RXF_KAFKA_UNREACHABLE', retryable: true });
  });
});
