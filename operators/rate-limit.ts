import { Observable, type Subscription, timer } from 'rxjs';
import { WaitingDeliveries } from '../src/backpressure/waiting-deliveries.js';
import { monotonicMs } from '../src/core/clock.js';
import { SinkError } from '../src/core/errors.js';
import { expectKnown, expectMs, expectWhole } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface RateLimitOptions {
  /** The number of deliveries … */
  readonly count: number;
  /** … per this many milliseconds, evenly spaced. */
  readonly perMs: number;
  /** How many may pass at once after an idle period. Default 1. */
  readonly burst?: number;
}

/**
 * Passes deliveries at a limited rate; the others wait here.
 *
 * ```
 * values  -(abc)----|
 *         rateLimit({ count: 1, perMs: 3 })
 * result  -a--b--c--|
 * acks    -a--b--c---
 * ```
 *
 * Settles: nacks waiting deliveries when it is unsubscribed or fails, and when their epoch ends. Completes when none is
 * waiting.
 * Bounds: waiting deliveries are unreleased, so the source's window bounds them. The rate holds even when the source asks for
 * settling: keep the window below what the rate passes within the source's `drainTimeoutMs` and `revokeTimeoutMs`.
 */
export function rateLimit<T>(options: RateLimitOptions): DeliveryOperator<T> {
  expectKnown('rateLimit options', options, ['count', 'perMs', 'burst']);
  const { count, perMs, burst = 1 } = options;
  expectWhole('count', count, 1);
  expectMs('perMs', perMs, 1);
  expectWhole('burst', burst, 1);
  const spacingMs = perMs / count;

  return deliveryOperator(
    'rateLimit',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const waiting = new WaitingDeliveries<T>(stopped, () => goOn());
        /** When the next delivery would pass if none had passed early. */
        let dueAt = Number.NEGATIVE_INFINITY;
        let sleeping: Subscription | undefined;
        let isComplete = false;
        let isGoing = false;

        const goOn = () => {
          if (isGoing) return;
          isGoing = true;
          let waitMs = waitFor();
          while (waiting.size > 0 && waitMs <= 0) {
            letGo(waiting.take() as Delivery<T>);
            waitMs = waitFor();
          }
          isGoing = false;
          if (waiting.size > 0) sleeping ??= timer(Math.ceil(waitMs)).subscribe(wake);
          if (isComplete && waiting.size === 0) subscriber.complete();
        };
        const wake = () => {
          sleeping = undefined;
          goOn();
        };
        const waitFor = () => dueAt - (burst - 1) * spacingMs - monotonicMs();
        const letGo = (delivery: Delivery<T>) => {
          const now = monotonicMs();
          // Timers have whole milliseconds: their lateness is made up for, unused capacity is not.
          dueAt = (dueAt > now - 1 ? dueAt : now) + spacingMs;
          subscriber.next(delivery);
        };

        const takeFrom = subscribeOrdered(subscriber, () => {
          sleeping?.unsubscribe();
          waiting.end();
        });
        takeFrom(source, {
          next: (delivery) => {
            waiting.add(delivery);
            goOn();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isComplete = true;
            goOn();
          },
        });
      }),
  );
}

function stopped(): SinkError {
  return new SinkError(
    'RXF_SINK_STOPPED',
    'The flow stopped before the rate let the value through; it is redelivered.',
  );
}
