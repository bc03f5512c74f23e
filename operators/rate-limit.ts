import { type Subscription, timer } from 'rxjs';
import { type Gate, gated } from '../src/backpressure/gate.js';
import { monotonicMs } from '../src/core/clock.js';
import { expectKnown, expectMs, expectWhole } from '../src/core/options.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';

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

  const begin = (look: () => void): Gate<T> => {
    /** When the next delivery would pass if none had passed early. */
    let dueAt = Number.NEGATIVE_INFINITY;
    let sleeping: Subscription | undefined;
    const wake = () => {
      sleeping = undefined;
      look();
    };
    return {
      mayPass: () => {
        const waitMs = dueAt - (burst - 1) * spacingMs - monotonicMs();
        if (waitMs > 0) sleeping ??= timer(Math.ceil(waitMs)).subscribe(wake);
        return waitMs <= 0;
      },
      pass: (delivery) => {
        const now = monotonicMs();
        // Timers have whole milliseconds: their lateness is made up for, unused capacity is not.
        dueAt = (dueAt > now - 1 ? dueAt : now) + spacingMs;
        return delivery;
      },
      end: () => sleeping?.unsubscribe(),
    };
  };
  return deliveryOperator('rateLimit', 'kept', gated('rate', begin));
}
