import { createReadStream } from 'node:fs';
import { type Acker, Delivery, type FlumeEvent, type FlushSignal, Source } from 'rxflume';
import { Subject } from 'rxjs';

/** The most events that are out and not settled. */
const WINDOW = 8_000;

const NO_HEADERS = {};

/** So many times the same event of 199 bytes, as Flume's own StressSource makes them. */
export function made(count: number): Source<Delivery<FlumeEvent>> {
  const event = { headers: NO_HEADERS, body: Buffer.alloc(199, 'x') };
  return new Source((subscriber) => {
    let offset = 0;
    let isEmitting = false;
    const emit = () => {
      if (isEmitting) return;
      isEmitting = true;
      while (offset < count && acker.out < WINDOW) {
        acker.out += 1;
        subscriber.next(new Delivery(event, { stream: 'made', offset, epoch: 1, byteLength: 199 }, acker, offset));
        offset += 1;
      }
      isEmitting = false;
      if (offset < count) return;
      if (acker.out === 0) subscriber.complete();
      else acker.flush$.next('settle');
    };
    const acker = new CountingAcker(emit);
    emit();
  });
}

/** The lines of a file. */
export function lines(file: string): Source<Delivery<FlumeEvent>> {
  return new Source((subscriber) => {
    const input = createReadStream(file, { highWaterMark: 256 * 1024 });
    let rest: Buffer = Buffer.alloc(0);
    let offset = 0;
    const acker = new CountingAcker(() => {
      if (acker.out < WINDOW) input.resume();
      if (input.readableEnded && acker.out === 0) subscriber.complete();
    });
    input.on('data', (chunk) => {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        const origin = { stream: 'lines', offset, epoch: 1, byteLength: end - from };
        acker.out += 1;
        subscriber.next(new Delivery({ headers: NO_HEADERS, body: bytes.subarray(from, end) }, origin, acker, offset));
        offset += 1;
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (acker.out >= WINDOW) input.pause();
    });
    // What is gathered in a batch would not be sent before its time.
    input.on('end', () => acker.flush$.next('settle'));
    return () => input.destroy();
  });
}

class CountingAcker implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  out = 0;
  readonly #settled: () => void;

  constructor(settled: () => void) {
    this.#settled = settled;
  }

  ack(first: number, next: number): void {
    this.out -= next - first;
    this.#settled();
  }

  nack(_first: number, _next: number, cause: unknown): void {
    throw cause;
  }

  release(): void {}

  hold(): void {}
}
