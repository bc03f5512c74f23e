import { Subject } from 'rxjs';
import type { RxflumeError } from '../../src/core/errors.js';
import type { Delivery, Origin } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

/** A sink that runs, what it is given, and what comes of it. */
export class SinkRun<T> {
  /** Of what is put in from now on. */
  acker: RecordingAcker;
  readonly receipts: Receipt[] = [];
  ended: '' | 'complete' | 'error' = '';
  error: unknown;
  readonly #in$ = new Subject<Delivery<T>>();
  readonly #running;

  constructor(sink: Sink<T>, stream = 'test:0') {
    this.acker = new RecordingAcker(stream);
    this.#running = sink(this.#in$).subscribe({
      next: (receipt) => {
        this.receipts.push(receipt);
      },
      complete: () => {
        this.ended = 'complete';
      },
      error: (error: unknown) => {
        this.ended = 'error';
        this.error = error;
      },
    });
  }

  readonly give = (delivery: Delivery<T>): void => this.#in$.next(delivery);

  readonly put = (value: T, origin: Partial<Origin> = {}, acker = this.acker, name = String(value)): Delivery<T> => {
    const delivery = acker.deliver(value, origin, name);
    this.give(delivery);
    return delivery;
  };

  readonly send = (...values: readonly T[]): void => {
    for (const value of values) this.put(value);
  };

  readonly complete = (): void => this.#in$.complete();

  readonly leave = (): void => this.#running.unsubscribe();

  /** The code of each nack, as `a RXF_SINK_FORMAT`. */
  readonly codes = (): string[] =>
    Object.entries(this.acker.causes).map(([name, cause]) => `${name} ${(cause as RxflumeError).code}`);
}
