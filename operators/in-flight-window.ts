import { Observable } from 'rxjs';
import { InFlightWindow } from '../src/backpressure/in-flight-window.js';
import { WaitingDeliveries } from '../src/backpressure/waiting-deliveries.js';
import { SinkError } from '../src/core/errors.js';
import { expectKnown, expectWhole } from '../src/core/options.js';
import type { Acker } from '../src/delivery/acker.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { ForwardingAcker, oncePerAcker } from '../src/delivery/forwarding-acker.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface InFlightWindowOptions {
  /** The maximum number of deliveries that are downstream and not released. Default: no limit. */
  readonly count?: number;
  /** The maximum number of bytes, as received, that are downstream and not released. Default: no limit. */
  readonly bytes?: number;
}

/**
 * Passes deliveries only while unreleased deliveries downstream stay within a window; the others wait here.
 *
 * ```
 * values    -abc-------|
 *           inFlightWindow({ count: 2 })
 * result    -ab-c------|
 * releases  ----a-b------
 * ```
 *
 * Settles: nacks waiting deliveries when it is unsubscribed, and when their epoch ends. Completes when none is waiting.
 * Bounds: waiting deliveries are unreleased, so the source's own window bounds them. A delivery larger than the whole window
 * passes alone.
 */
export function inFlightWindow<T>(options: InFlightWindowOptions): DeliveryOperator<T> {
  expectKnown('inFlightWindow options', options, ['count', 'bytes']);
  const { count = Number.MAX_SAFE_INTEGER, bytes = Number.MAX_SAFE_INTEGER } = options;
  const limits = { count, bytes };
  expectWhole('count', limits.count, 1);
  expectWhole('bytes', limits.bytes, 1);

  return deliveryOperator(
    'inFlightWindow',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const window = new InFlightWindow(limits);
        const ackerOf = oncePerAcker(({ acker }) => new WindowAcker(acker, window, () => emit()));
        const waiting = new WaitingDeliveries<T>(stopped, () => emit());
        let isComplete = false;
        let isEmitting = false;
        let hasFailed = false;

        const emit = () => {
          if (isEmitting) return;
          isEmitting = true;
          while (!window.isFull && !subscriber.closed && !hasFailed) {
            const delivery = waiting.take();
            if (delivery === undefined) break;
            subscriber.next(counted(delivery));
          }
          isEmitting = false;
          if (isComplete && waiting.size === 0) subscriber.complete();
        };
        const counted = (delivery: Delivery<T>): Delivery<T> => {
          const acker = ackerOf(delivery);
          acker.take(delivery.seq, delivery.origin.byteLength);
          return acker.adopt(delivery);
        };

        const takeFrom = subscribeOrdered(subscriber, () => waiting.end());
        takeFrom(source, {
          next: (delivery) => {
            waiting.add(delivery);
            emit();
          },
          error: (error: unknown) => {
            // Nacks downstream because of the error free the window, but the subscriber takes no more.
            hasFailed = true;
            subscriber.error(error);
          },
          complete: () => {
            isComplete = true;
            emit();
          },
        });
      }),
  );
}

/**
 * Forwards everything to the delivery's own acker, and frees the window at the first release or settling of a sequence number.
 */
class WindowAcker extends ForwardingAcker {
  readonly #window: InFlightWindow;
  readonly #freed: () => void;
  readonly #sizes = new Map<number, number>();

  constructor(inner: Acker, window: InFlightWindow, freed: () => void) {
    super(inner);
    this.#window = window;
    this.#freed = freed;
  }

  take(seq: number, bytes: number): void {
    this.#sizes.set(seq, bytes);
    this.#window.take(bytes);
  }

  override ack(first: number, next: number): void {
    super.ack(first, next);
    this.#free(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    super.nack(first, next, cause);
    this.#free(first, next);
  }

  override release(first: number, next: number): void {
    super.release(first, next);
    this.#free(first, next);
  }

  #free(first: number, next: number): void {
    let count = 0;
    let bytes = 0;
    for (let seq = first; seq < next; seq += 1) {
      const size = this.#sizes.get(seq);
      if (size === undefined) continue;
      this.#sizes.delete(seq);
      count += 1;
      bytes += size;
    }
    if (count === 0) return;
    this.#window.free(count, bytes);
    this.#freed();
  }
}

function stopped(): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    'The flow stopped before the window let the value through; it is redelivered.',
  );
}
