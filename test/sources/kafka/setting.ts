import { InFlightWindow } from '../../../src/backpressure/in-flight-window.js';
import type { ResumePoint } from '../../../src/offsets/commit-horizon.js';
import type { KafkaBatch, KafkaRecord } from '../../../src/ports/kafka-consumer.js';
import { Partition } from '../../../src/sources/kafka/partition.js';

/** A batch of records of so many bytes each, at these offsets. */
export function batchOf(
  offsets: readonly number[],
  nextOffset = (offsets.at(-1) ?? -1) + 1,
  byteLength = 1,
): KafkaBatch {
  const records = offsets.map((offset) => ({ offset, byteLength, value: Buffer.from('x') }) as unknown as KafkaRecord);
  return { topic: 'chat', partition: 3, records, nextOffset, highWatermark: nextOffset + 7 } as unknown as KafkaBatch;
}

/** A partition by itself, and what it tells its session. */
export function partitionOf(start: number, resumePoint?: ResumePoint, partition = 3) {
  const reported: string[] = [];
  const window = new InFlightWindow({ count: 100, bytes: 1_000 });
  const own = new Partition({ topic: 'chat', partition }, start, resumePoint, window, {
    acked: (count) => reported.push(`acked ${count}`),
    nacked: ({ stream }, offset, cause) => reported.push(`nacked ${stream} ${offset} ${cause}`),
    released: () => reported.push('released'),
    awaited: () => reported.push('awaited'),
  });
  return { own, reported, window };
}
