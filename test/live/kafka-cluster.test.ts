import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { cluster, Feeder, KafkaCluster, NOTHING_WRONG, numbersInFiles, until, verdict } from './cluster.js';
import { describeCluster } from './describe-cluster.js';
import { type Command, fresh, runFlow, sleep } from './support.js';

jest.setTimeout(120_000);

/** Each partition first at another broker. */
const HOME = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];
/** After an event, the longest until all that was written before its end is committed by both flows. */
const GOES_ON_WITHIN_MS = 30_000;

describeCluster('three brokers: Kafka to files and Kafka to Kafka, exactly once', () => {
  const topic = fresh('cluster');
  const copy = `${topic}-copy`;
  const disk = mkdtempSync(join(tmpdir(), 'rxflume-cluster-'));
  const groups = [`${topic}-files`, `${topic}-copies`] as const;
  let kafka: KafkaCluster;
  let feeder: Feeder;
  let flows: readonly Command[] = [];

  beforeAll(async () => {
    kafka = await KafkaCluster.start();
    await kafka.createTopic(topic, HOME);
    await kafka.createTopic(copy, HOME);
    const limits = { TEST_METADATA_MS: '3000', TEST_REQUEST_MS: '5000' };
    const shared = { ...limits, RXFLUME_KAFKA_BROKERS: kafka.brokers.join(','), TEST_TOPIC: topic };
    const files = { TEST_DISK: disk, TEST_ROOT: '/lake', TEST_GROUP: groups[0], TEST_SESSION_MS: '6000' };
    const copies = { TEST_COPY: copy, TEST_GROUP: groups[1], TEST_PROTOCOL: 'consumer' };
    flows = [
      runFlow('test/live/flows/numbered.ts', { ...shared, ...files }),
      runFlow('test/live/flows/copying.ts', { ...shared, ...copies }),
    ];
    feeder = new Feeder(kafka.brokers, topic, HOME.length, 1_500);
    for (const flow of flows) await flow.until('kafka.assigned');
  });

  afterAll(async () => {
    for (const { child } of flows) child.kill('SIGKILL');
    if (process.env.TEST_SHOW !== undefined) for (const { output } of flows) console.log(output());
    await cluster('stop', 'kafka');
    rmSync(disk, { recursive: true, force: true });
  });

  async function goesOn(): Promise<void> {
    let ends: number[] = [];
    await until('the ends are known', async () => {
      ends = await kafka.ends(topic);
      return ends.length === HOME.length;
    });
    for (const group of groups) {
      await until(
        `${group} has committed ${ends.join(', ')}`,
        async () =>
          (await kafka.committed(group, topic)).every((offset, partition) => offset >= (ends[partition] ?? 0)),
        GOES_ON_WITHIN_MS,
      );
    }
    expect(feeder.errors).toEqual([]);
  }

  it('goes on where leaders move, and where they move back', async () => {
    await kafka.move(
      topic,
      HOME.map(([first, second, third]) => [second, third, first] as number[]),
    );
    await until('the leaders have moved', async () => (await kafka.leaders(topic)).join() === '2,3,1', 20_000);
    await kafka.move(topic, HOME);
    await until('the leaders are back', async () => (await kafka.leaders(topic)).join() === '1,2,3', 20_000);
    await goesOn();
  });

  it('goes on where a broker is killed, and started again', async () => {
    await cluster('kill', 'kafka2');
    await until('another leads', async () => !(await kafka.leaders(topic)).includes(2));
    await sleep(1_000);
    await cluster('start', 'kafka2');
    await goesOn();
  });

  it('goes on where a broker hangs', async () => {
    await cluster('pause', 'kafka3');
    await until('another leads', async () => !(await kafka.leaders(topic)).includes(3));
    await goesOn();
    await cluster('resume', 'kafka3');
    await goesOn();
  });

  it('goes on where a broker is cut off from the others, and clients are not', async () => {
    await cluster('cut', 'kafka1');
    await sleep(6_000);
    await cluster('join', 'kafka1');
    await goesOn();
  });

  it('goes on where all brokers are killed at once', async () => {
    await cluster('kill', 'kafka');
    await sleep(500);
    await cluster('start', 'kafka');
    await goesOn();
  });

  it('has lost nothing and doubled nothing', async () => {
    await feeder.stop();
    expect(feeder.errors).toEqual([]);
    await goesOn();
    for (const { child } of flows) child.kill('SIGTERM');
    expect(await Promise.all(flows.map(({ ended }) => ended))).toEqual([0, 0]);
    const { count } = feeder;
    const [written, copied] = await Promise.all([kafka.numbersIn(topic, count), kafka.numbersIn(copy, count)]);
    expect(count).toBeGreaterThan(10_000);
    expect(verdict(written, count)).toEqual(NOTHING_WRONG);
    expect(verdict(copied, count)).toEqual(NOTHING_WRONG);
    expect(verdict(numbersInFiles(join(disk, 'lake')), count)).toEqual(NOTHING_WRONG);
  });
});
