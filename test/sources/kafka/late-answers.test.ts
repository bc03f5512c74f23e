import { describe, expect, it } from '@jest/globals';
import { EMPTY, from, Observable, Subject } from 'rxjs';
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

const CHAT = { topic: 'chat', partition: 0 };

function batch(epoch: number, ...offsets: number[]): KafkaBatch {
  const records = offsets.map((offset) => {
    const origin = { stream: 'kafka:chat/0', offset, epoch, byteLength: 1 };
    return { ...CHAT, ...origin, value: Buffer.from('x') } as unknown as KafkaRecord;
  });
  const nextOffset = (offsets.at(-1) as number) + 1;
  return { ...CHAT, epoch, records, byteLength: records.length, nextOffset, highWatermark: nextOffset };
}

/** A source whose driver never unsubscribes from `assigned`; each lookup in the ledger is answered by hand. */
function source() {
  const monitor = new Monitor();
  const lookups: Subject<ReadonlyMap<string, number>>[] = [];
  const out: Delivery<unknown>[] = [];
  const commits: string[] = [];
  const starts: string[] = [];
  let listener: KafkaListener | undefined;
  let ended = '';
  const driver: KafkaDriver = {
    name: 'by hand',
    connect: (_, to) => {
      listener = to;
      const commit = (epoch: number, offsets: readonly PartitionOffset[]) => {
        commits.push(...offsets.map(({ offset }) => `epoch ${epoch}: ${offset}`));
        return EMPTY;
      };
      const verbs = { pause: () => {}, resume: () => {}, seek: () => {}, commit, close: () => EMPTY };
      return new Observable((subscriber) => subscriber.next(verbs));
    },
  };
  const resumeFrom = () => {
    const lookup = new Subject<ReadonlyMap<string, number>>();
    lookups.push(lookup);
    return lookup;
  };
  const options = { topics: ['chat'], groupId: 'lake', commit: { intervalMs: 10 }, monitor, resumeFrom };
  const subscription = kafkaSource(driver, options).subscribe({
    next: (delivery) => out.push(delivery),
    error: (error: unknown) => {
      ended = String(error);
    },
  });
  const group = listener as unknown as KafkaListener;
  return {
    out,
    commits,
    starts,
    group,
    leave: () => subscription.unsubscribe(),
    get ended() {
      return ended;
    },
    get assigned() {
      return [...monitor.samples()].find(({ name }) => name === 'rxflume_source_assigned_partitions')?.value;
    },
    assign: (epoch: number) =>
      from(group.assigned(epoch, [CHAT])).subscribe((answer) =>
        starts.push(`epoch ${epoch}: ${answer.map(({ offset }) => offset).join()}`),
      ),
    answer: (lookup: number, offset: number) => lookups[lookup]?.next(new Map([['kafka:chat/0', offset]])),
    fail: (lookup: number) => lookups[lookup]?.error(new Error('no storage')),
  };
}

describe('a lookup of offsets that answers after its assignment is over', () => {
  it.each([
    ['after the answer of the next', [1, 0]],
    ['before the answer of the next', [0, 1]],
  ])('does not replace the next assignment: %s', (_, order) =>
    inVirtualTime((at) => {
      const seen = source();
      seen.assign(1);
      seen.group.lost();
      seen.assign(2);
      for (const lookup of order) seen.answer(lookup, lookup === 0 ? 3 : 7);
      expect(seen.starts).toEqual(['epoch 2: 7']);
      seen.group.records(batch(2, 7, 8));
      expect(seen.out.map(({ origin }) => origin.offset)).toEqual([7, 8]);
      for (const delivery of seen.out) delivery.ack();
      at(50, () => {
        expect(seen.commits.at(-1)).toBe('epoch 2: 9');
        seen.leave();
      });
    }),
  );

  it('assigns nothing where all was taken away', () =>
    inVirtualTime((at) => {
      const seen = source();
      seen.assign(1);
      seen.group.lost();
      seen.answer(0, 3);
      at(50, () => {
        expect([seen.starts, seen.commits, seen.assigned]).toEqual([[], [], 0]);
        seen.leave();
      });
    }));

  it('does not end the stream where it fails', () =>
    inVirtualTime(() => {
      const seen = source();
      seen.assign(1);
      seen.group.lost();
      seen.assign(2);
      seen.fail(0);
      seen.answer(1, 7);
      expect([seen.ended, seen.starts]).toEqual(['', ['epoch 2: 7']]);
      seen.leave();
    }));
});
