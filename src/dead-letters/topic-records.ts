import { firstValueFrom, from, Observable } from 'rxjs';
import { ConnectError } from '../core/errors.js';
import { randomName } from '../core/random-name.js';
import { MiB } from '../core/units.js';
import type { KafkaConsumer, KafkaDriver, KafkaListener, KafkaRecord } from '../ports/kafka-consumer.js';

const IDLE_MS = 30_000;
const LOOK_EVERY_MS = 200;

/**
 * All records of a topic up to where its partitions end at the beginning, as a group of its own that commits nothing.
 *
 * Fails: as the driver does; `RXF_KAFKA_LOST` where the topic gives nothing for 30 s.
 */
export function topicRecords(driver: KafkaDriver, topic: string): Observable<KafkaRecord> {
  return new Observable((subscriber) => {
    /** Where each partition ends; 0 once it is read up to there. */
    const ends = new Map<number, number>();
    const read = new Map<number, number>();
    let consumer: KafkaConsumer | undefined;
    let partitions: readonly { topic: string; partition: number }[] = [];
    const done = () => {
      if ([...ends.values()].every((end) => end <= 0)) subscriber.complete();
    };
    const silent = () =>
      subscriber.error(
        new ConnectError('RXF_KAFKA_LOST', `${driver.name}: topic ${topic} gave nothing for ${IDLE_MS} ms. Try again.`),
      );
    const idle = setTimeout(silent, IDLE_MS);
    const begin = async () => {
      if (consumer?.describeLogs === undefined || partitions.length === 0 || ends.size > 0) return;
      for (const { partition, end } of await firstValueFrom(from(consumer.describeLogs(partitions)))) {
        const at = read.get(partition) ?? 0;
        ends.set(partition, at >= end ? 0 : end);
      }
      done();
    };
    const look = (): void => {
      begin().catch((error: unknown) => subscriber.error(error));
    };
    const listener: KafkaListener = {
      assigned: (_, given) => {
        partitions = given;
        return [given.map((one) => ({ ...one, offset: 0 }))];
      },
      began: () => [null],
      revoking: () => [null],
      lost: () => undefined,
      records: ({ partition, records, nextOffset }) => {
        idle.refresh();
        const end = ends.get(partition);
        for (const record of records) {
          if (end !== undefined && record.offset >= end) break;
          subscriber.next(record);
        }
        read.set(partition, nextOffset);
        if (end !== undefined && nextOffset >= end) ends.set(partition, 0);
        if (ends.size > 0) done();
      },
      reading: (isReading) => {
        if (isReading) look();
      },
      logEvent: () => undefined,
    };
    const subscription = {
      topics: [topic],
      groupId: `rxflume-look-${randomName()}`,
      startAt: 'earliest' as const,
      maxPartitionBytes: MiB,
      maxWaitMs: 200,
      revokeTimeoutMs: 5_000,
      sessionTimeoutMs: 30_000,
    };
    const life = driver.connect(subscription, listener).subscribe({
      next: (member) => {
        consumer = member;
        look();
      },
      error: (error: unknown) => subscriber.error(error),
    });
    const looking = setInterval(look, LOOK_EVERY_MS);
    return () => {
      clearTimeout(idle);
      clearInterval(looking);
      life.unsubscribe();
    };
  });
}
