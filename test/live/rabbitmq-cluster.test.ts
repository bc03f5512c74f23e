import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { cluster, numbersInFiles, startCluster, until, verdict } from './cluster.js';
import { EACH, numbersIn, onNode, Publisher } from './publisher.js';
import { describeRabbitmq } from './rabbitmq-support.js';
import { type Command, fresh, runFlow, sleep } from './support.js';

jest.setTimeout(120_000);

describeRabbitmq('three RabbitMQ nodes: a quorum queue to another, and a stream to files exactly once', () => {
  const name = fresh('cluster');
  const [queue, stream, copied] = [`${name}.quorum`, `${name}.stream`, `${name}.copied`];
  const disk = mkdtempSync(join(tmpdir(), 'rxflume-cluster-'));
  let urls: string[] = [];
  let flows: readonly Command[] = [];
  let publisher: Publisher;

  beforeAll(async () => {
    urls = (await startCluster('rabbitmq')).split(',');
    // A queue is led by the node at which it was declared.
    await onNode(urls[1] as string, async (channel) => {
      await channel.assertExchange(name, 'fanout');
      for (const [one, type] of [
        [queue, 'quorum'],
        [copied, 'quorum'],
        [stream, 'stream'],
      ] as const) {
        await channel.assertQueue(one, { durable: true, arguments: { 'x-queue-type': type } });
        if (one !== copied) await channel.bindQueue(one, name, '');
      }
    });
    const shared = { TEST_RABBITMQ: urls.join(','), TEST_HEARTBEAT_SECONDS: '2' };
    const copying = {
      TEST_QUEUE: queue,
      TEST_KIND: 'quorum',
      TEST_TO: 'queue',
      TEST_TO_QUEUE: copied,
      TEST_PREFETCH: '500',
    };
    const filing = { TEST_QUEUE: stream, TEST_KIND: 'stream', TEST_TO: 'hdfs', TEST_DISK: disk, TEST_ROOT: '/lake' };
    flows = [copying, filing].map((env) => runFlow('test/live/flows/queue.ts', { ...shared, ...env }));
    for (const flow of flows) await flow.until('started');
    publisher = new Publisher(urls.slice(1), name);
    await goesOn();
  });

  afterAll(async () => {
    for (const { child } of flows) child.kill('SIGKILL');
    if (process.env.TEST_SHOW !== undefined) for (const { output } of flows) console.log(output());
    await publisher?.stop();
    await cluster('stop', 'rabbitmq');
    rmSync(disk, { recursive: true, force: true });
  });

  const messagesIn = (one: string) =>
    onNode(urls[2] as string, async (channel) => (await channel.checkQueue(one)).messageCount);

  /** New messages are confirmed, and what was published before is copied and filed. */
  async function goesOn(): Promise<void> {
    const before = publisher.confirmed;
    await until('messages are confirmed', () => publisher.confirmed > before + EACH, 20_000);
    const due = publisher.confirmed;
    await until('they are copied', async () => (await messagesIn(copied)) >= due, 20_000);
    await until('they are filed', () => numbersInFiles(join(disk, 'lake')).has(due - 1), 20_000);
  }

  it('goes on where the node that leads is killed, and started again', async () => {
    await cluster('kill', 'rabbitmq2');
    await goesOn();
    await cluster('start', 'rabbitmq2');
    await goesOn();
  });

  it('goes on where the node that the flows are connected to hangs', async () => {
    await cluster('pause', 'rabbitmq1');
    await goesOn();
    await cluster('resume', 'rabbitmq1');
    await goesOn();
  });

  it('has lost nothing, and doubled nothing of the stream', async () => {
    await publisher.stop();
    const count = publisher.confirmed;
    await sleep(3_000);
    for (const { child } of flows) child.kill('SIGTERM');
    expect(await Promise.all(flows.map(({ ended }) => ended))).toEqual([0, 0]);
    const published = await numbersIn(urls[2] as string, stream, { arguments: { 'x-stream-offset': 'first' } });
    const copies = await numbersIn(urls[2] as string, copied, {});
    expect(count).toBeGreaterThan(2_000);
    expect(verdict(published, count).lost).toEqual([]);
    expect(verdict(copies, count).lost).toEqual([]);
    expect([...numbersInFiles(join(disk, 'lake'))].sort(byNumber)).toEqual([...published].sort(byNumber));
  });
});

const byNumber = ([a]: readonly [number, number], [b]: readonly [number, number]) => a - b;
