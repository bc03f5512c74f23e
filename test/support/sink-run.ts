import { type Observable, Subject } from 'rxjs';
import type { Delivery, Origin } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

/** A sink that runs, and what comes of it. */
export class SinkRun<T> {
  readonly acker = new RecordingAcker('test:0');
  readonly receipts: Receipt[] = [];
  ended = '';
  readonly #in$ = new Subject<Delivery<T>>();
  readonly #running;

  constructor(sink: Sink<T>) {
    const receipts$: Observable<Receipt> = sink(this.#in$);
    this.#running = receipts$.subscribe({
      next: (receipt) => {
        this.receipts.push(receipt);
      },
      complete: () => {
        this.ended = 'complete';
      },
      error: () => {
        this.ended = 'error';
      },
    });
  }

  put(value: T, origin: Partial<Origin> = {}, acker = this.acker): Delivery<T> {
    const delivery = acker.deliver(value, origin);
    this.#in$.next(delivery);
    return delivery;
  }

  give(delivery: Delivery<T>): void {
    this.#in$.next(delivery);
  }

  complete(): void {
    this.#in$.complete();
  }

  leave(): void {
    this.#running.unsubscribe();
  }
}
