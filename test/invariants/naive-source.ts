import { EMPTY, from, of, Subject, take } from 'rxjs';
import type { Acker, FlushSignal } from '../../src/delivery/acker.js';
import { Delivery } from '../../src/delivery/delivery.js';
import { Source } from '../../src/delivery/source.js';
import type { KafkaConsumer, KafkaDriver, KafkaListener, KafkaRecord } from '../../src/ports/kafka-consumer.js';

/** What well-known peers did, or do, wrong. */
export interface Bugs {
  /** The last ack is committed, whatever lies before it. */
  readonly commitsLastAck?: boolean;
  /** An ack counts whichever assignment it is of. */
  readonly countsOldAcks?: boolean;
  /** After a reassignment it goes on where it had read to. */
  readonly goesOnBehindUnacked?: boolean;
  /** What was out when the partitions were lost stays counted in the window. */
  readonly keepsWindowFull?: boolean;
  /** A drain waits until all is acked, however long that takes. */
  readonly drainsForEver?: boolean;
  /** A watermark that looks for the offset after the last. */
  readonly addsOne?: boolean;
}

interface Out {
  readonly record: KafkaRecord;
  readonly epoch: number;
  isAcked: boolean;
}

/** A Kafka source as one writes it first, with the bugs that are asked for: a duplicate of ours that must be found wrong. */
export function naiveSource(driver: KafkaDriver, bugs: Bugs, window: number): Source<Delivery<unknown>> {
  return new Source((subscriber, stop$) => {
    let consumer: KafkaConsumer | undefined;
    let epoch = 0;
    let inFlight = 0;
    let isDraining = false;
    const out: Out[] = [];
    const waiting: KafkaRecord[] = [];
    const readTo = new Map<string, number>();
    const flush$ = new Subject<FlushSignal>();

    const emit = () => {
      while (waiting.length > 0 && inFlight < window && !isDraining) {
        const record = waiting.shift() as KafkaRecord;
        inFlight += 1;
        const seq = out.push({ record, epoch, isAcked: false }) - 1;
        readTo.set(record.stream, record.offset + 1);
        const { stream, offset, byteLength } = record;
        subscriber.next(new Delivery(record.value, { stream, offset, epoch, byteLength }, acker, seq));
      }
    };
    const commit = (acked: Out) => {
      const { topic, partition, stream } = acked.record;
      const own = out.filter((one) => one.record.stream === stream && (bugs.countsOldAcks || one.epoch === epoch));
      const firstUnacked = own.find((one) => !one.isAcked && one.epoch === epoch);
      let offset = firstUnacked?.record.offset ?? (own.at(-1)?.record.offset ?? -1) + 1;
      if (bugs.commitsLastAck) offset = acked.record.offset + 1;
      if (bugs.addsOne) {
        offset = own[0]?.record.offset ?? 0;
        while (own.some((one) => one.isAcked && one.record.offset === offset)) offset += 1;
      }
      from((consumer as KafkaConsumer).commit(epoch, [{ topic, partition, offset }])).subscribe({
        error: () => undefined,
      });
    };
    const acker: Acker = {
      flush$,
      ack: (first) => {
        const one = out[first] as Out;
        if (one.isAcked || (!bugs.countsOldAcks && one.epoch !== epoch)) return;
        one.isAcked = true;
        if (one.epoch === epoch || bugs.keepsWindowFull) inFlight = Math.max(0, inFlight - 1);
        if (bugs.countsOldAcks && one.epoch !== epoch) {
          // The same record in the new assignment passes for acked.
          for (const duplicate of out)
            if (duplicate.record.offset === one.record.offset && duplicate.record.stream === one.record.stream)
              duplicate.isAcked = true;
        }
        commit(one);
        emit();
        ended();
      },
      nack: () => undefined,
      release: () => undefined,
      hold: () => undefined,
    };
    const ended = () => {
      if (!isDraining || out.some((one) => one.epoch === epoch && !one.isAcked)) return;
      subscriber.complete();
    };
    const listener: KafkaListener = {
      assigned: (next) => {
        epoch = next;
        if (!bugs.keepsWindowFull) inFlight = 0;
        waiting.length = 0;
        if (!bugs.goesOnBehindUnacked) return of([]);
        return of(
          [...readTo].map(([stream, offset]) => {
            const [, topic = '', partition = ''] = /^kafka:(.*)\/(\d+)$/.exec(stream) ?? [];
            return { topic, partition: Number(partition), offset };
          }),
        );
      },
      began: () => EMPTY,
      revoking: () => EMPTY,
      lost: () => undefined,
      records: (batch) => {
        waiting.push(...batch.records);
        emit();
      },
      reading: () => undefined,
      logEvent: () => undefined,
    };
    const options = {
      startAt: 'earliest',
      maxPartitionBytes: 1e6,
      maxWaitMs: 10,
      revokeTimeoutMs: 50,
      sessionTimeoutMs: 1e3,
    } as const;
    subscriber.add(
      driver.connect({ topics: ['t'], groupId: 'g', ...options }, listener).subscribe((member) => {
        consumer = member;
      }),
    );
    subscriber.add(
      stop$.pipe(take(1)).subscribe(() => {
        isDraining = true;
        if (bugs.drainsForEver) ended();
        else subscriber.complete();
      }),
    );
  });
}
