import { describe, expect, it } from '@jest/globals';
import { delay, firstValueFrom, from, ignoreElements, map, mergeMap, of, tap, timer } from 'rxjs';
import { batch, deadLetter, filterValue } from '../../../operators/index.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { DeadLetter } from '../../../src/delivery/dead-letter.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Sink } from '../../../src/delivery/receipt.js';
import type { KafkaConsumer, KafkaDriver } from '../../../src/ports/kafka-consumer.js';
import { kafkaSink } from '../../../src/sinks/kafka/kafka-sink.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import type { ProducerFate, ProducerStep } from '../../../src/testing/memory/memory-producer.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { type Bytes, type CopyOptions, copied, copy, feed, numbers } from './copying.js';

function cluster(partitions = 1) {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  kafka.createTopic('copy', partitions);
  return kafka;
}

/** Meets each verb with the fates given for it, in turn; `ok` after these. */
function fated(kafka: MemoryKafka, fates: Partial<Record<ProducerStep['verb'], ProducerFate[]>>): string[] {
  const steps: string[] = [];
  kafka.fate = ({ verb }) => {
    steps.push(verb);
    return fates[verb]?.shift() ?? 'ok';
  };
  return steps;
}

/** Runs a copy of `count` numbers to its drain at `untilMs`. */
function copyAll(kafka: MemoryKafka, count: number, options: CopyOptions = {}, untilMs = 5_000) {
  let run: ReturnType<typeof copy> | undefined;
  inVirtualTime((at) => {
    run = copy(kafka, options);
    feed(kafka, 0, count);
    at(untilMs, () => run?.stop());
  });
  return run as ReturnType<typeof copy>;
}

const committed = (kafka: MemoryKafka) => kafka.committed('copier', 'chat', 0);

describe('kafkaSink, exactly once', () => {
  it('shows records and offset together, when the transaction is committed', () => {
    const kafka = cluster();
    const run = { now: undefined as ReturnType<typeof copy> | undefined };
    inVirtualTime((at) => {
      run.now = copy(kafka, { sink: { transaction: { intervalMs: 100 } } });
      feed(kafka, 0, 10);
      at(90, () => expect([copied(kafka), committed(kafka), run.now?.receipts]).toEqual([[], -1, []]));
      at(130, () => expect([copied(kafka), committed(kafka)]).toEqual([numbers(10), 10]));
      at(131, () =>
        expect(run.now?.receipts).toEqual([
          {
            sink: 'kafka',
            target: 'copy',
            values: 10,
            bytes: 10,
            stream: 'kafka:chat/0',
            firstOffset: 0,
            lastOffset: 9,
          },
        ]),
      );
      at(140, () => run.now?.stop());
    });
    expect(run.now?.ended).toBe('complete');
  });

  it('commits at so many records, and at once in a drain', () => {
    const kafka = cluster();
    inVirtualTime((at) => {
      const run = copy(kafka, { sink: { transaction: { count: 10, intervalMs: 10_000 } } });
      feed(kafka, 0, 10);
      at(50, () => expect(copied(kafka)).toEqual(numbers(10)));
      at(50, () => feed(kafka, 10, 14));
      at(100, () => expect(copied(kafka)).toEqual(numbers(10)));
      at(100, () => run.stop());
      at(150, () => expect([copied(kafka), committed(kafka), run.ended]).toEqual([numbers(14), 14, 'complete']));
    });
  });

  it('moves the offsets itself: nothing is committed by the consumer', () => {
    const kafka = cluster();
    const reported: unknown[] = [];
    const watched: KafkaDriver = {
      name: kafka.name,
      addresses: kafka.addresses,
      connect: (subscription, listener) =>
        kafka.connect(subscription, listener).pipe(
          map((consumer) =>
            Object.assign(Object.create(consumer) as KafkaConsumer, {
              pause: consumer.pause.bind(consumer),
              resume: consumer.resume.bind(consumer),
              close: consumer.close.bind(consumer),
              commit: (...given: unknown[]) => {
                reported.push(given);
                return of(0);
              },
            }),
          ),
        ),
    };
    const monitor = new Monitor();
    const sink = kafkaSink<Buffer | null>(kafka, { topic: 'copy', transaction: { intervalMs: 50 }, monitor });
    const resumeFrom = sink.offsetStore;
    inVirtualTime((at) => {
      const running = kafkaSource(watched, {
        topics: ['chat'],
        groupId: 'g',
        resumeFrom,
        commit: { count: 1 },
        monitor,
      })
        .pipe(sink.write())
        .subscribe();
      feed(kafka, 0, 5);
      at(500, () => running.unsubscribe());
    });
    expect([reported, kafka.committed('g', 'chat', 0)]).toEqual([[], 5]);
    // Lag and progress are reported all the same.
    expect(monitor.total('rxflume_source_committed_offsets_total')).toBe(5);
  });

  it('moves the offset where everything is filtered out, without a record, also in a drain', () => {
    const kafka = cluster();
    const steps = fated(kafka, {});
    const run = copyAll(kafka, 7, { through: filterValue(() => false) });
    expect([run.ended, copied(kafka), committed(kafka)]).toEqual(['complete', [], 7]);
    expect(steps.filter((verb) => verb === 'send')).toEqual([]);
  });

  it('carries what was filtered out behind the last record', () => {
    const kafka = cluster();
    const run = copyAll(kafka, 8, { through: filterValue((value) => Number(value) < 5) }, 70);
    expect([run.ended, copied(kafka), committed(kafka)]).toEqual(['complete', numbers(5), 8]);
  });

  it('waits with a commit for what was overtaken', () => {
    const kafka = cluster();
    inVirtualTime((at) => {
      const slow = mergeMap((delivery: { readonly origin: { readonly offset: number } }) =>
        delivery.origin.offset === 2 ? of(delivery).pipe(delay(400)) : of(delivery),
      );
      const run = copy(kafka, { through: slow as never });
      feed(kafka, 0, 6);
      at(390, () => expect([copied(kafka), committed(kafka)]).toEqual([[], -1]));
      at(450, () => expect([copied(kafka), committed(kafka)]).toEqual([[0, 1, 3, 4, 5, 2], 6]));
      at(500, () => run.stop());
    });
  });

  it('goes on from the offset of the group, and nacks a record that is rejected for good to the source', () => {
    const kafka = cluster();
    kafka.setCommitted('copier', [{ topic: 'chat', partition: 0, offset: 3 }]);
    const run = copyAll(kafka, 12, {
      sink: { encode: (value) => (String(value) === '9' ? 'x'.repeat(2_000) : value), maxRecordBytes: 1_000 },
    });
    expect(run.error).toMatchObject({
      code: 'RXF_SOURCE_NACKED',
      cause: { code: 'RXF_KAFKA_RECORD_TOO_LARGE' },
    });
    // Of the transaction that it was to be in, nothing is there.
    expect([copied(kafka), committed(kafka)]).toEqual([[], 3]);
  });

  it('goes on past a record that is too large, once it is set aside: the commit waits for that', () => {
    const kafka = cluster();
    const letters: number[] = [];
    const setAside: Sink<DeadLetter> = (deliveries) =>
      deliveries.pipe(
        delay(300),
        tap((delivery) => {
          letters.push(delivery.origin.offset);
          delivery.ack();
        }),
        ignoreElements(),
      );
    const run = copyAll(kafka, 12, {
      through: deadLetter(setAside),
      sink: { encode: (value) => (String(value) === '9' ? 'x'.repeat(2_000) : value), maxRecordBytes: 1_000 },
    });
    expect([run.ended, letters, committed(kafka)]).toEqual(['complete', [9], 12]);
    expect(copied(kafka)).toEqual(numbers(12).filter((n) => n !== 9));
  });

  it('nacks values joined from several streams', () => {
    const kafka = cluster(2);
    let causes: unknown[] = [];
    inVirtualTime(() => {
      const monitor = new Monitor();
      const sink = kafkaSink<(Buffer | null)[]>(kafka, { topic: 'copy', encode: (all) => all.join(), monitor });
      kafkaSource(kafka, { topics: ['chat'], groupId: 'g', resumeFrom: sink.offsetStore, monitor })
        .pipe(batch({ count: 2, maxWaitMs: 5 }), sink.write())
        .subscribe({
          error: (error: unknown) => {
            causes = [error];
          },
        });
      feed(kafka, 0, 2, 2);
    });
    expect(causes).toMatchObject([{ code: 'RXF_SOURCE_NACKED', cause: { code: 'RXF_SINK_MIXED' } }]);
  });

  it.each<[string, Partial<Record<ProducerStep['verb'], ProducerFate[]>>]>([
    ['a record was lost', { send: ['lose'] }],
    ['a record never arrived', { send: ['fail'] }],
    ['its offsets were lost', { offsets: ['lose'] }],
    ['its offsets never arrived', { offsets: ['fail'] }],
    ['it was committed, and the answer lost', { end: ['lose'] }],
    ['its end never arrived', { end: ['fail'] }],
    ['its end came late', { end: ['late'] }],
    ['the id could not be taken at first', { take: ['fail', 'lose'] }],
    ['the offsets could not be read at first', { committed: ['fail'] }],
    ['no connection could be made at first', { open: ['fail', 'fail'] }],
  ])('copies each once where %s', (_, fates) => {
    const kafka = cluster();
    fated(kafka, fates);
    const run = copyAll(kafka, 30);
    expect([run.ended, copied(kafka), committed(kafka)]).toEqual(['complete', numbers(30), 30]);
  });

  it.each<[string, ProducerFate]>([
    ['was carried out', 'lose'],
    ['was not', 'fail'],
  ])('takes the id again where offsets by themselves were lost, and goes on, whether the commit %s', (_, fate) => {
    const kafka = cluster();
    const steps = fated(kafka, { end: [fate] });
    const run = copyAll(kafka, 7, { through: filterValue(() => false) });
    expect([run.ended, committed(kafka)]).toEqual(['complete', 7]);
    expect(steps.filter((verb) => verb === 'take').length).toBe(2);
  });

  it('commits no offset by itself where another has gone on', () => {
    const kafka = cluster();
    const steps = fated(kafka, { end: ['fail'] });
    let run: ReturnType<typeof copy> | undefined;
    inVirtualTime((at) => {
      run = copy(kafka, { through: filterValue(() => false) });
      feed(kafka, 0, 7);
      // Before the first commit of the source's interval fails.
      at(30, () => kafka.setCommitted('copier', [{ topic: 'chat', partition: 0, offset: 100 }]));
      at(10_000, () => run?.subscription?.unsubscribe());
    });
    expect(committed(kafka)).toBe(100);
    // It disturbs the other once, to look, and no more.
    expect(steps.filter((verb) => verb === 'take').length).toBe(2);
    expect(run?.error).toMatchObject({
      code: 'RXF_KAFKA_COMMIT',
      message: expect.stringMatching(/group copier is at offset 100, where this program/),
    });
  });

  it('fences who had the stream before, whose deliveries are stale', () => {
    const kafka = cluster();
    inVirtualTime((at) => {
      const first = copy(kafka, { sink: { transaction: { intervalMs: 300 } } });
      feed(kafka, 0, 10);
      let wake: () => void = () => undefined;
      let second: ReturnType<typeof copy> | undefined;
      at(100, () => {
        // It goes on writing, and does not know that its session is over.
        wake = kafka.expireSession(first.consumer as KafkaConsumer);
        second = copy(kafka);
      });
      at(250, () => expect([copied(kafka), committed(kafka)]).toEqual([numbers(10), 10]));
      at(400, () => expect(first.codes()).toContain('RXF_KAFKA_FENCED'));
      at(410, () => wake());
      at(420, () => feed(kafka, 10, 20));
      at(2_000, () => {
        first.stop();
        second?.stop();
      });
    });
    expect([copied(kafka), committed(kafka)]).toEqual([numbers(20), 20]);
  });

  it('keeps one writer and one connection for all streams, and none when it is left', () => {
    const kafka = cluster(3);
    const steps = fated(kafka, {});
    inVirtualTime((at) => {
      const run = copy(kafka);
      feed(kafka, 0, 9, 3);
      at(500, () => run.stop());
    });
    expect(steps.filter((verb) => verb === 'open').length).toBe(1);
    expect(steps.filter((verb) => verb === 'take').length).toBe(3);
  });

  it('answers positions only to a source that says its group, and only for Kafka', async () => {
    const sink = kafkaSink(cluster(), { topic: 'copy', monitor: new Monitor() });
    await expect(firstValueFrom(from(sink.offsetStore(['kafka:chat/0'])))).rejects.toThrow(
      /are the offsets of a group/,
    );
    await expect(firstValueFrom(from(sink.offsetStore(['flume:x'], { groupId: 'g' })))).rejects.toThrow(
      /only with a kafkaSource, got a stream `flume:x`/,
    );
    const offsetStore = await firstValueFrom(from(sink.offsetStore(['kafka:chat/0'], { groupId: 'g' })));
    expect([...offsetStore]).toEqual([]);
  });

  it('is not disturbed by a delivery of an epoch that is over, which comes late', () => {
    const kafka = cluster();
    fated(kafka, { send: ['fail'] });
    const seen = new Map<number, number>();
    // The first epoch ends while 1 is on its way; in the second 1 is written before 0, and the late one comes between.
    const delayOf = ({ origin: { offset } }: Delivery<Bytes>): number => {
      const times = (seen.get(offset) ?? 0) + 1;
      seen.set(offset, times);
      if (offset === 1 && times === 1) return 200;
      return offset === 0 && times === 2 ? 115 : 0;
    };
    const run = copyAll(kafka, 5, {
      sink: { transaction: { intervalMs: 8 } },
      source: { redeliver: { firstDelayMs: 100, maxDelayMs: 100, maxAttempts: 100 } },
      through: mergeMap((delivery) => timer(delayOf(delivery)).pipe(map(() => delivery))),
    });
    expect(copied(kafka).sort()).toEqual(numbers(5));
    expect([run.ended, seen.get(1), kafka.committed('copier', 'chat', 0)]).toEqual(['complete', 2, 5]);
  });
});
