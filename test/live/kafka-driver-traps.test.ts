import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import type { KafkajsOptions } from '../../src/drivers/kafkajs/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import type { KafkaSubscription } from '../../src/ports/kafka-consumer.js';
import { withRecoveryHint } from '../../src/sources/kafka/resume.js';
import { freshName, sleep, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { CutNet, LiveKafka } from '../drivers/kafkajs/live-kafka.js';

const kafka = new LiveKafka(globalThis.process.env.RXFLUME_RECORD_DECODER === 'kafkajs' ? 'kafkajs' : 'lean');
const members: KafkaTrace[] = [];
const holes: { close: () => void }[] = [];
const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => unhandled.push(reason);

beforeAll(async () => {
  globalThis.process.on('unhandledRejection', noteUnhandled);
  await kafka.start();
}, 30_000);
afterAll(async () => {
  globalThis.process.off('unhandledRejection', noteUnhandled);
  await kafka.stop();
  expect(unhandled).toEqual([]);
});
afterEach(async () => {
  kafka.net.restore();
  for (const hole of holes.splice(0)) hole.close();
  for (const member of members.splice(0)) await member.close();
});

/** The error as the source gives it: with what can be done. */
function hinted(error: unknown): string {
  return String(withRecoveryHint(error, { resumeFrom: undefined, groupId: 'g' }));
}

async function topicOf(partitions: number, config: Record<string, string> = {}): Promise<string> {
  const topic = freshName('trap');
  await kafka.createTopic(topic, partitions, config);
  return topic;
}

function join(
  topic: string,
  given: Partial<KafkaSubscription> = {},
  options: Partial<KafkajsOptions> = {},
  trace = new KafkaTrace(),
  net = kafka.net,
): KafkaTrace {
  members.push(trace);
  return trace.join(kafka.newDriver(options, net), kafkaSubscription(topic, given));
}

const values = (count: number) => Array.from({ length: count }, (_, index) => ({ value: `v${index}` }));
const took = async (what: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await what();
  return performance.now() - from;
};

describe('traps of kafkajs 2.2.4, on a real cluster', () => {
  it('trap 4: resumed after pausing everything, it goes on at once, whatever the long poll', async () => {
    const topic = await topicOf(2);
    const trace = join(topic, { maxWaitMs: 5_000 });
    await kafka.produce(topic, 0, values(1));
    await trace.received(1);
    trace.consumer?.pause(trace.partitions);
    // The fetch that was under way at the pause ends with this record.
    await kafka.produce(topic, 1, values(1));
    await trace.received(2);
    await kafka.produce(topic, 0, values(1));
    await sleep(300);
    expect(trace.all).toHaveLength(2);
    const ms = await took(async () => {
      trace.consumer?.resume(trace.partitions);
      await trace.received(3);
    });
    expect(ms).toBeLessThan(500);
  }, 30_000);

  it('trap 5: an idle member closes at once, whatever the long poll', async () => {
    const trace = join(await topicOf(1), { maxWaitMs: 5_000 });
    await trace.assignedTo(1);
    await sleep(300);
    expect(await took(() => trace.close())).toBeLessThan(500);
    expect(trace.isComplete).toBe(true);
    await until(() => kafka.net.sockets.size === 0, 'the sockets to close', undefined, 1_000);
  }, 30_000);

  it('trap 5: close ends while `assigned` is pending, and while `revoking` is', async () => {
    const topic = await topicOf(2);
    const slow = new KafkaTrace();
    slow.answer = () => NEVER;
    join(topic, {}, {}, slow);
    await until(() => slow.calls.length > 0 && slow.consumer !== undefined, 'assigned');
    expect(await took(() => slow.close())).toBeLessThan(500);

    const stubborn = new KafkaTrace();
    stubborn.settle = () => NEVER;
    join(topic, { revokeTimeoutMs: 20_000 }, {}, stubborn);
    await stubborn.assignedTo(2);
    const other = join(topic);
    await until(() => stubborn.calls.includes('revoking'), 'revoking');
    expect(await took(() => stubborn.close())).toBeLessThan(500);
    await other.assignedTo(2);
  }, 30_000);

  it('trap 5: close ends within its bound while joining waits for another member', async () => {
    const topic = await topicOf(2);
    const stubborn = new KafkaTrace();
    stubborn.settle = () => NEVER;
    join(topic, { revokeTimeoutMs: 4_000 }, {}, stubborn);
    await stubborn.assignedTo(2);
    const net = new CutNet();
    const joining = join(topic, {}, { closeTimeoutMs: 700 }, new KafkaTrace(), net);
    await until(() => stubborn.calls.includes('revoking'), 'revoking');
    joining.connection?.unsubscribe();
    await until(() => net.sockets.size === 0, 'the sockets to close', undefined, 1_500);
  }, 30_000);

  it('trap 6: a `revoking` that never ends holds a rebalance up for `revokeTimeoutMs` only', async () => {
    const topic = await topicOf(2);
    const stubborn = new KafkaTrace();
    stubborn.settle = () => NEVER;
    join(topic, { revokeTimeoutMs: 500 }, {}, stubborn);
    await stubborn.assignedTo(2);
    const other = join(topic);
    await other.assignedTo(1);
    await stubborn.assignedTo(1);
    expect(stubborn.calls).toEqual(['assigned 1', 'revoking', 'lost', 'assigned 2']);
    expect(stubborn.logEvents.join()).toContain('500 ms');
  }, 30_000);

  it('trap 8: what expired before it was read fails the stream, and nothing is skipped or committed', async () => {
    const topic = await topicOf(1);
    await kafka.produce(topic, 0, values(10));
    const first = join(topic);
    await first.received(10);
    await first.commit([{ topic, partition: 0, offset: 3 }]);
    await first.close();
    await kafka.deleteRecords(topic, 0, 7);
    const second = join(topic, { startAt: 'latest' });
    await until(() => second.error !== undefined, 'the error');
    expect(second.error).toMatchObject({
      code: 'RXF_KAFKA_DATA_LOST',
      retryable: false,
      details: { topic, partition: 0, expected: 3, available: { first: 7, next: 10 } },
    });
    expect(hinted(second.error)).toMatch(/4 offsets were deleted.*--reset-offsets --to-earliest --execute/s);
    expect(second.batches).toEqual([]);
    expect(await kafka.committed(`${topic}-group`, topic, 0)).toBe(3);
  }, 30_000);

  it('trap 8: what is deleted under a paused reader fails it when it goes on', async () => {
    const topic = await topicOf(1);
    const trace = join(topic);
    await kafka.produce(topic, 0, values(2));
    await trace.received(2);
    trace.consumer?.pause(trace.partitions);
    await kafka.produce(topic, 0, values(1));
    await trace.received(3);
    await kafka.produce(topic, 0, values(5));
    await kafka.deleteRecords(topic, 0, 6);
    trace.consumer?.resume(trace.partitions);
    await until(() => trace.error !== undefined, 'the error');
    expect(trace.error).toMatchObject({
      code: 'RXF_KAFKA_DATA_LOST',
      details: { expected: 3, available: { first: 6 } },
    });
    expect(trace.offsets(0)).toEqual([0, 1, 2]);
    expect(await kafka.committed(`${topic}-group`, topic, 0)).toBe(-1);
  }, 30_000);

  it('trap 8: a position beyond the end of the log fails the stream too', async () => {
    const topic = await topicOf(1);
    await kafka.produce(topic, 0, values(4));
    const trace = new KafkaTrace();
    trace.answer = async () => [{ topic, partition: 0, offset: 90 }];
    join(topic, {}, {}, trace);
    await until(() => trace.error !== undefined, 'the error');
    expect(trace.error).toMatchObject({
      code: 'RXF_KAFKA_DATA_LOST',
      details: { expected: 90, available: { next: 4 } },
    });
    expect(hinted(trace.error)).toMatch(/recreated.*--reset-offsets --to-earliest --execute/s);
  }, 30_000);

  it('trap 9: broken sockets are made anew within the same epoch, and nothing is missed', async () => {
    const topic = await topicOf(2);
    const trace = join(topic);
    await kafka.produce(topic, 0, values(5));
    await trace.received(5);
    for (let round = 1; round <= 3; round += 1) {
      kafka.net.breakAll();
      await kafka.produce(topic, 0, values(5));
      await trace.received(5 + round * 5);
      await trace.commit([{ topic, partition: 0, offset: round * 5 }]);
    }
    expect(trace.epoch).toBe(1);
    expect(trace.offsets(0)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(await kafka.committed(`${topic}-group`, topic, 0)).toBe(15);
  }, 30_000);

  it('trap 9: silence past the session loses the assignment; reached again, it goes on in a higher epoch', async () => {
    const topic = await topicOf(1);
    const trace = join(
      topic,
      { sessionTimeoutMs: 1_500 },
      { reconnect: { maxAttempts: 50, firstDelayMs: 100, maxDelayMs: 300 } },
    );
    await kafka.produce(topic, 0, values(5));
    await trace.received(5);
    await trace.commit([{ topic, partition: 0, offset: 2 }]);
    kafka.net.cut();
    await until(() => trace.calls.includes('lost'), 'lost');
    await trace.commit([{ topic, partition: 0, offset: 5 }]);
    await kafka.produce(topic, 0, values(1));
    kafka.net.restore();
    await until(() => trace.epoch === 2, 'the second epoch', trace);
    await trace.received(9);
    expect(trace.offsets(0)).toEqual([0, 1, 2, 3, 4, 2, 3, 4, 5]);
    expect(trace.calls).toEqual(['assigned 1', 'records', 'lost', 'assigned 2']);
    expect(trace.consumers).toBe(1);
  }, 30_000);

  it('trap 9: never reached again, it fails once with RXF_KAFKA_LOST after its attempts', async () => {
    const topic = await topicOf(1);
    const trace = join(
      topic,
      { sessionTimeoutMs: 1_000 },
      { reconnect: { maxAttempts: 2, firstDelayMs: 50, maxDelayMs: 50 } },
    );
    await trace.assignedTo(1);
    kafka.net.cut();
    await until(() => trace.error !== undefined, 'the error');
    expect(trace.error).toMatchObject({ code: 'RXF_KAFKA_LOST', retryable: true });
    expect(String(trace.error)).toMatch(/2 attempts.*ECONNREFUSED/s);
    expect(trace.calls).toEqual(['assigned 1', 'lost']);
    const storm = trace.logEvents.length;
    expect(storm).toBeLessThan(15);
  }, 30_000);

  it('trap 9: silent sockets, which neither answer nor close, are noticed within the session', async () => {
    const hole = await blackHole();
    const topic = await topicOf(1);
    const trace = join(
      topic,
      { sessionTimeoutMs: 1_500 },
      {
        requestTimeoutMs: 1_000,
        connectTimeoutMs: 1_000,
        reconnect: { maxAttempts: 50, firstDelayMs: 100, maxDelayMs: 100 },
      },
    );
    await trace.assignedTo(1);
    kafka.net.cut(hole.port);
    await until(() => trace.calls.includes('lost'), 'lost');
    kafka.net.restore();
    await until(() => trace.epoch === 2, 'the second epoch', trace);
  }, 30_000);

  it('trap 10: heartbeats keep the group while positions are looked up for longer than the session', async () => {
    const topic = await topicOf(1);
    await kafka.produce(topic, 0, values(3));
    const trace = new KafkaTrace();
    trace.answer = async () => {
      await sleep(3_500);
      return [];
    };
    join(topic, { sessionTimeoutMs: 1_500 }, {}, trace);
    await trace.received(3);
    expect(trace.calls).toEqual(['assigned 1', 'records']);
  }, 30_000);

  it('trap 11: what was paused is not paused in a new epoch', async () => {
    const topic = await topicOf(2);
    const trace = join(topic);
    await trace.assignedTo(2);
    trace.consumer?.pause(trace.partitions);
    const other = join(topic);
    await other.assignedTo(1);
    await other.close();
    await trace.assignedTo(2);
    await kafka.produce(topic, 0, values(2));
    await kafka.produce(topic, 1, values(2));
    await trace.received(4);
  }, 30_000);

  it('new partitions are seen, and shared out in a new epoch', async () => {
    const topic = await topicOf(1);
    const trace = join(topic, {}, { metadataMaxAgeMs: 300 });
    await trace.assignedTo(1);
    await kafka.admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    await trace.assignedTo(3);
    expect(trace.calls).toEqual(['assigned 1', 'revoking', 'lost', 'assigned 2']);
  }, 30_000);

  it('an unreachable cluster fails with its addresses and the network reason, within the bound', async () => {
    const driver = kafkajs({ brokers: ['127.0.0.1:1', '127.0.0.1:2'], connectTimeoutMs: 5_000 });
    const trace = new KafkaTrace();
    const ms = await took(async () => {
      trace.join(driver, kafkaSubscription('any'));
      await until(() => trace.error !== undefined, 'the error');
    });
    expect(ms).toBeLessThan(5_500);
    expect(trace.error).toMatchObject({ code: 'RXF_KAFKA_UNREACHABLE', retryable: true });
    expect(String(trace.error)).toMatch(/127\.0\.0\.1:1, 127\.0\.0\.1:2: connect ECONNREFUSED 127\.0\.0\.1:[12]/);
    expect((trace.error as Error).cause).toBeDefined();
  }, 30_000);

  it('a broker that accepts and never answers is given up within `connectTimeoutMs`', async () => {
    const hole = await blackHole();
    const driver = kafkajs({ brokers: [`127.0.0.1:${hole.port}`], connectTimeoutMs: 700 });
    const trace = new KafkaTrace();
    const ms = await took(async () => {
      trace.join(driver, kafkaSubscription('any'));
      await until(() => trace.error !== undefined, 'the error');
    });
    expect(ms).toBeLessThan(1_200);
    expect(trace.error).toMatchObject({ code: 'RXF_KAFKA_UNREACHABLE' });
    await until(() => hole.count() === 0, 'its sockets to close', undefined, 1_500);
  }, 30_000);

  it('a rejected login is RXF_KAFKA_AUTH, not worth a retry, and shows no secret', async () => {
    const topic = await topicOf(1);
    const trace = join(topic, {}, { sasl: { mechanism: 'plain', username: 'flume', password: 'hunter2-secret' } });
    await until(() => trace.error !== undefined, 'the error');
    expect(trace.error).toMatchObject({ code: 'RXF_KAFKA_AUTH', retryable: false });
    expect(`${trace.error} ${JSON.stringify(trace.error)} ${trace.logEvents.join()}`).not.toContain('hunter2-secret');
  }, 30_000);

  it('unsubscribed at any moment, it ends within its bound with all sockets destroyed', async () => {
    const topic = await topicOf(2);
    await kafka.produce(topic, 0, values(100));
    for (const delay of [0, 1, 3, 6, 10, 15, 25, 40, 60, 90, 140, 250]) {
      const net = new CutNet();
      const trace = new KafkaTrace().join(
        kafka.newDriver({ closeTimeoutMs: 500 }, net),
        kafkaSubscription(topic, { groupId: freshName('group') }),
      );
      await sleep(delay);
      trace.connection?.unsubscribe();
      const calls = trace.calls.length;
      await until(() => net.sockets.size === 0, `the sockets to close after ${delay} ms`, undefined, 900);
      await sleep(100);
      expect([net.sockets.size, trace.calls.length, trace.error]).toEqual([0, calls, undefined]);
    }
  }, 60_000);
});

/** Something that listens, accepts, and never says a word. */
async function blackHole(): Promise<{ port: number; count: () => number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.resume();
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  holes.push({ close });
  return { port, count: () => sockets.size };
}
