import { Observable, type OperatorFunction } from 'rxjs';
import { stepCounts } from '../core/flow-scope.js';
import type { Delivery } from '../delivery/delivery.js';
import { stoppedError } from '../delivery/nack-errors.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import { WaitingDeliveries } from './waiting-deliveries.js';

/** What lets deliveries through. */
export interface Gate<T> {
  /** Whether the next one may pass now. Where it may not, the gate calls the `look` it was made with when that changes. */
  mayPass(): boolean;
  /** The delivery as it is passed on. */
  pass(delivery: Delivery<T>): Delivery<T>;
  end?(): void;
}

/**
 * Hands deliveries on in order as a gate lets them through; the others wait. Completes when none waits.
 *
 * Settles: nacks waiting deliveries when it is unsubscribed or fails, and when their epoch ends.
 * Bounds: waiting deliveries are unreleased, so the source's window bounds them.
 */
export function gated<T>(
  name: string,
  begin: (look: () => void) => Gate<T>,
): OperatorFunction<Delivery<T>, Delivery<T>> {
  return (source) =>
    new Observable((subscriber) => {
      let isComplete = false;
      let isEmitting = false;
      let hasFailed = false;
      const look = () => {
        if (isEmitting) return;
        isEmitting = true;
        while (waiting.size > 0 && !hasFailed && gate.mayPass()) {
          subscriber.next(gate.pass(waiting.take() as Delivery<T>));
        }
        isEmitting = false;
        if (isComplete && waiting.size === 0) subscriber.complete();
      };
      const stopped = () => stoppedError(`the ${name} let the value through`, 'it is redelivered');
      const waiting = new WaitingDeliveries<T>(stopped, look);
      const counts = stepCounts();
      counts.held = () => waiting.size;
      counts.holds = (stream, offset) => waiting.has(stream, offset);
      const gate = begin(look);
      const takeFrom = subscribeOrdered(subscriber, () => {
        gate.end?.();
        waiting.end();
      });
      takeFrom(source, {
        next: (delivery) => {
          waiting.add(delivery);
          look();
        },
        error: (error: unknown) => {
          // Nacks downstream because of the error open the gate, but the subscriber takes no more.
          hasFailed = true;
          subscriber.error(error);
        },
        complete: () => {
          isComplete = true;
          look();
        },
      });
    });
}
