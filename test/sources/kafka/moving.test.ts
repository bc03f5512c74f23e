import { describe, expect, it } from '@jest/globals';
import { EMPTY, from, Observable } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type {
  KafkaBatch,
  KafkaDriver,
  KafkaListener,
  KafkaRecord,
  PartitionOffset,
} from '../../../src/ports/kafka-consumer.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { inVirtualTime } from '../../support/virtual-time.js';

const of = (...partitions: number[]) => partitions.map((partition) => ({ topic: 'chat', partition }));

function batch(partition: number, ...offsets: number[]): KafkaBatch {
  const records = offsets.map((offset) => {
    const origin = { stream: `kafka:chat/${partition}`, offset, epoch: 1, byteLength: 1 };
    return { topic: 'chat', partition, ...origin, value: Buffer.from('x') } as unknown as KafkaRecord;
  });
  const nextOffset = (offsets.at(-1) as number) + 1;
  return { topic: 'chat', partition, epoch: 1, records, byteLength: 1, nextOffset, highWatermark: nextOffset };
}

/** A source that was assigned partitions 0 and 1, and what it commits; its driver is the test. */
function source() {
  const monitor = new Monitor();
  const out: Delivery<unknown>[] = [];
  const commits: string[] = [];
  const flushes: string[] = [];
  let listener: KafkaListener | undefined;
  const driver: KafkaDriver = {
    name: 'by hand',
    connect: (_, to) => {
      listener = to;
      const commit = (epoch: number, offsets: readonly PartitionOffset[]) => {
        commits.push(...offsets.map(({ partition, offset }) => `epoch ${epoch}: ${partition}=${offset}`));
        return EMPTY;
      };
      const verbs = { pause: () => {}, resume: () => {}, seek: () => {}, commit, close: () => EMPTY };
      return new Observable((subscriber) => subscriber.next(verbs));
    },
  };
  const options = {
    topics: ['chat'],
    groupId: 'lake',
    commit: { intervalMs: 60_000 },
    revokeTimeoutMs: 1_000,
    monitor,
  };
  kafkaSource(driver, options).subscribe((delivery) => {
    out.push(delivery);
    const { stream } = delivery.origin;
    delivery.acker.flush$.subscribe((signal) => flushes.push(`${signal} ${stream}`));
  });
  const group = listener as unknown as KafkaListener;
  from(group.assigned(1, of(0, 1))).subscribe();
  const assigned = () => monitor.samples().find(({ name }) => name === 'rxflume_source_assigned_partitions')?.value;
  return { group, out, commits, flushes, assigned };
}

describe('partitions that move while others stay', () => {
  it('are settled and committed alone, and the others go on', () =>
    inVirtualTime((at) => {
      const { group, out, commits, flushes, assigned } = source();
      group.records(batch(0, 0));
      group.records(batch(1, 0));
      let isDone = false;
      from(group.revoking(of(1))).subscribe({ complete: () => (isDone = true) });
      expect(new Set(flushes)).toEqual(new Set(['settle kafka:chat/1']));
      // Nothing more of it goes out, and the other goes on.
      group.records(batch(1, 1));
      group.records(batch(0, 1));
      expect(out.map(({ origin }) => `${origin.stream} ${origin.offset}`)).toEqual([
        'kafka:chat/0 0',
        'kafka:chat/1 0',
        'kafka:chat/0 1',
      ]);
      expect(isDone).toBe(false);
      out[1]?.ack();
      expect([isDone, commits]).toEqual([true, ['epoch 1: 1=1']]);
      group.lost(of(1));
      expect(assigned()).toBe(1);
      out[0]?.ack();
      out[2]?.ack();
      expect(flushes.filter((one) => one.endsWith('chat/0'))).toEqual([]);
      at(1, () => group.lost());
    }));

  it('are given up after the time for it, and acks of them are too late', () =>
    inVirtualTime((at) => {
      const { group, out, commits } = source();
      group.records(batch(1, 0));
      let isDone = false;
      from(group.revoking(of(1))).subscribe({ complete: () => (isDone = true) });
      at(749, () => expect(isDone).toBe(false));
      at(751, () => {
        expect([isDone, commits]).toEqual([true, []]);
        group.lost(of(1));
        from(group.added?.(1, of(1)) ?? []).subscribe();
        out[0]?.ack();
        from(group.revoking()).subscribe();
        expect(commits).toEqual([]);
      });
    }));

  it('come in the same epoch, and are read and committed', () =>
    inVirtualTime((at) => {
      const { group, out, commits, assigned } = source();
      const starts: unknown[] = [];
      from(group.added?.(1, of(2)) ?? []).subscribe((answer) => starts.push(answer));
      expect([starts, assigned()]).toEqual([[[]], 3]);
      group.records(batch(2, 5));
      out[0]?.ack();
      from(group.revoking(of(2))).subscribe();
      expect(commits).toEqual(['epoch 1: 2=6']);
      group.lost(of(2));
      group.records(batch(2, 6));
      expect(out).toHaveLength(1);
      // Of an epoch that is over, nothing comes.
      from(group.added?.(0, of(3)) ?? []).subscribe();
      expect(assigned()).toBe(2);
      at(1, () => group.lost());
    }));
});
