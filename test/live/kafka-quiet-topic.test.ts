import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { flow } from '../../src/flow/flow.js';
import { text } from '../../src/formats/text.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { LiveKafka } from '../drivers/kafkajs/live-kafka.js';
import { fresh, services, sleep } from './support.js';

/** The lag of each partition as Kafka's own tool shows it. */
async function lagByKafka(group: string): Promise<string[]> {
  const rows = (await services('kafka-groups', '--describe', '--group', group)).trim().split('\n');
  const head = rows.find((row) => row.startsWith('GROUP'))?.split(/\s+/) ?? [];
  const lines = rows.filter((row) => row.startsWith(`${group} `)).map((row) => row.split(/\s+/));
  return lines.map((cells) => cells[head.indexOf('LAG')] ?? '');
}

describe('a topic of transactions that goes quiet', () => {
  const kafka = new LiveKafka();
  const folder = mkdtempSync(join(tmpdir(), 'rxflume-quiet-'));
  beforeAll(() => kafka.start(), 30_000);
  afterAll(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['the group', 'a ledger'] as const)(
    'has no lag in the end, by Kafka and by the metric, with its position kept by %s',
    async (keptBy) => {
      const topic = fresh('kafka-quiet');
      await kafka.createTopic(topic, 2);
      const monitor = new Monitor();
      const lake = fileSink<string>(localDisk(), {
        root: join(folder, topic),
        path: 'in',
        format: text(),
        roll: { intervalMs: 100 },
        monitor,
      });
      const source = kafkaSource(kafka.driver, {
        topics: [topic],
        groupId: topic,
        commit: { intervalMs: 100 },
        monitor,
        ...(keptBy === 'a ledger' ? { resumeFrom: lake.offsetStore } : {}),
      });
      let failure: unknown;
      const running = flow(
        'quiet',
        source,
        mapValue((value) => String(value)),
        lake.write(),
      ).subscribe({
        error: (error: unknown) => {
          failure = error;
        },
      });
      try {
        // One partition ends with the marker of a commit, the other with what was aborted.
        await kafka.transact(topic, 0, [{ value: 'a' }, { value: 'b' }], 'commit');
        await kafka.transact(topic, 1, [{ value: 'c' }], 'commit');
        await kafka.transact(topic, 1, [{ value: 'd' }, { value: 'e' }], 'abort');
        const ends = [3, 5];
        const isDone = async () => {
          const seen = await Promise.all(ends.map((_, partition) => kafka.committed(topic, topic, partition)));
          return seen.every((offset, partition) => offset === ends[partition]);
        };
        for (let looks = 0; looks < 100 && failure === undefined && !(await isDone()); looks += 1) await sleep(100);
        expect(failure).toBeUndefined();
        expect(await lagByKafka(topic)).toEqual(['0', '0']);
        const lags = monitor.samples().filter(({ name }) => name === 'rxflume_source_committed_lag_records');
        expect(lags.map(({ value }) => value)).toEqual([0, 0]);
      } finally {
        running.unsubscribe();
      }
    },
    45_000,
  );

  it('is resumed from a ledger after retention has deleted the markers behind it', async () => {
    const topic = fresh('kafka-quiet-gone');
    await kafka.createTopic(topic, 1);
    const taken: string[] = [];
    // A ledger knows records alone: behind the last of them it says 2.
    const resumeFrom = (streams: readonly string[]) => of(new Map(streams.map((stream) => [stream, 2])));
    const failures: unknown[] = [];
    const read = () =>
      kafkaSource(kafka.driver, { topics: [topic], groupId: topic, commit: { intervalMs: 100 }, resumeFrom }).subscribe(
        {
          next: (delivery) => {
            taken.push(String(delivery.value));
            delivery.ack();
          },
          error: (error: unknown) => failures.push(error),
        },
      );
    await kafka.transact(topic, 0, [{ value: 'a' }, { value: 'b' }], 'commit');
    await kafka.transact(topic, 0, [{ value: 'c' }], 'abort');
    const isCommitted = async (offset: number) => (await kafka.committed(topic, topic, 0)) === offset;
    const first = read();
    for (let looks = 0; looks < 100 && !(await isCommitted(5)); looks += 1) await sleep(100);
    first.unsubscribe();
    await kafka.deleteRecords(topic, 0, 5);
    await kafka.produce(topic, 0, [{ value: 'later' }]);
    const second = read();
    for (let looks = 0; looks < 100 && failures.length === 0 && !(await isCommitted(6)); looks += 1) await sleep(100);
    second.unsubscribe();
    expect([failures, taken, await isCommitted(6)]).toEqual([[], ['later'], true]);
  }, 45_000);
});
