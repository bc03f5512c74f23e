import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastValueFrom, NEVER, type Observable, scan, takeUntil, takeWhile, tap, timer } from 'rxjs';
import type { Acker } from '../../delivery/acker.js';
import { Delivery, type Origin } from '../../delivery/delivery.js';

/** The most that a sample may hold; it ends with whichever comes first. */
export interface SampleLimits {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
}

/** One value of a sample, with where it came from. */
export interface Sampled {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Values of the lines of a file, as a source of that name would deliver them. Bounds: the limits, and one line. */
export async function sampleOfFile(file: string, source: string | undefined, limits: SampleLimits): Promise<Sampled[]> {
  const input = createReadStream(file);
  const samples: Sampled[] = [];
  let bytes = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const body = Buffer.from(line);
      bytes += body.length;
      if (samples.length >= limits.records || bytes > limits.bytes) break;
      const value = source === 'flumeSource' ? { headers: {}, body } : body;
      const origin = { stream: 'sample:lines', offset: samples.length, epoch: 1, byteLength: body.length };
      samples.push({
        value,
        origin: { ...origin, timestamp: 1_700_000_000_000, key: null, headers: {}, headerList: [] },
      });
    }
  } finally {
    input.destroy();
  }
  return samples;
}

/** The first values that a source delivers. Nothing of it is acked, and it is left as soon as there are enough. */
export function sampleOfSource(source: Observable<Delivery<unknown>>, limits: SampleLimits): Promise<Sampled[]> {
  let bytes = 0;
  const samples: Sampled[] = [];
  const reading = lastValueFrom(
    source.pipe(
      tap((delivery) => {
        const { stream, offset, byteLength, timestamp, key, headers, headerList } = delivery.origin;
        const { value } = delivery;
        // A copy: the source may use its memory again.
        const own = value instanceof Uint8Array ? Buffer.from(value) : value;
        const origin = { stream, offset, epoch: 1, byteLength, timestamp, key, headers, headerList };
        samples.push({ value: own, origin });
        bytes += byteLength;
        delivery.release();
      }),
      scan((count) => count + 1, 0),
      takeWhile((count) => count < limits.records && bytes < limits.bytes),
      takeUntil(timer(limits.ms)),
    ),
    { defaultValue: 0 },
  );
  return reading.then(() => samples);
}

/** Counts what becomes of the deliveries of one pass over a sample. */
export class SampleAcker implements Acker {
  readonly flush$ = NEVER;
  settled = 0;
  nacked = 0;
  cause: unknown;

  ack(first: number, next: number): void {
    this.settled += next - first;
  }

  nack(first: number, next: number, cause: unknown): void {
    this.settled += next - first;
    this.nacked += next - first;
    this.cause ??= cause;
  }

  release(): void {}

  hold(): void {}
}

/** The deliveries of one pass over a sample; of all streams together, since only their number counts. */
export function deliveryOf({ value, origin }: Sampled, acker: Acker, seq: number): Delivery<unknown> {
  return new Delivery(value, origin, acker, seq);
}
