import { finalize, mergeMap, Observable, type OperatorFunction, Subject } from 'rxjs';
import { countNacks, stepCounts } from '../core/flow-scope.js';
import type { Delivery } from '../delivery/delivery.js';
import { isEpochOver } from '../delivery/flush-listeners.js';
import { nackErrorOfThrown, stoppedError } from '../delivery/nack-errors.js';
import { isOfRecord } from '../delivery/origin-position.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import { type KeyedEntry, KeyedQueue } from './keyed-queue.js';

export interface RunKeyedOptions<T> {
  /** The maximum number of concurrent runs. */
  readonly maxInFlight: number;
  /** Runs of one key are sequential; undefined or null means no key. */
  readonly keyOf?: ((delivery: Delivery<T>) => unknown) | undefined;
}

/**
 * Runs a function for each delivery when its turn comes, and emits what the runs emit. A run settles its delivery, even when it
 * is unsubscribed, and does not fail.
 *
 * Settles: nacks waiting deliveries when it is unsubscribed or the source fails, deliveries that are stale when their turn
 * comes, and one for which `keyOf` throws.
 * Bounds: `maxInFlight` runs; the source's window bounds waiting deliveries.
 */
export function runKeyed<T, R>(
  { maxInFlight, keyOf }: RunKeyedOptions<T>,
  run: (delivery: Delivery<T>, nacked: { value: number }) => Observable<R>,
): OperatorFunction<Delivery<T>, R> {
  return (source) =>
    new Observable((subscriber) => {
      const turns = new KeyedQueue<Delivery<T>>(maxInFlight);
      const begun$ = new Subject<KeyedEntry<Delivery<T>>>();
      const nacked = countNacks();
      const counts = stepCounts();
      counts.held = () => turns.size;
      // Those that run are not kept.
      counts.holds = (stream, offset) =>
        turns.hasWaiting(({ origin }) => isOfRecord(origin, stream, offset)) ||
        (turns.size > turns.waiting ? undefined : false);
      let isComplete = false;
      let isBeginning = false;

      const begin = () => {
        if (isBeginning) return;
        isBeginning = true;
        for (let turn = turns.take(); turn !== undefined; turn = turns.take()) beginOne(turn);
        isBeginning = false;
        if (isComplete && turns.waiting === 0) begun$.complete();
      };
      const beginOne = (turn: KeyedEntry<Delivery<T>>) => {
        if (!isEpochOver(turn.one.acker.flush$)) {
          begun$.next(turn);
          return;
        }
        turn.one.nack(stoppedBefore());
        turns.done(turn);
      };
      const take = (delivery: Delivery<T>) => {
        try {
          turns.add(delivery, keyOf?.(delivery));
        } catch (cause) {
          nacked.value += 1;
          delivery.nack(nackErrorOfThrown('key of transmit', cause, delivery));
        }
      };

      const takeFrom = subscribeOrdered(subscriber, () => {
        for (const delivery of turns.takeAll()) delivery.nack(stoppedBefore());
      });
      // Unbounded here: `KeyedQueue` is what bounds it, with queues that stay fast when they are long.
      begun$
        .pipe(
          mergeMap((turn) =>
            run(turn.one, nacked).pipe(
              // Not at completion: its resources are still in use then.
              finalize(() => {
                turns.done(turn);
                begin();
              }),
            ),
          ),
        )
        .subscribe(subscriber);
      takeFrom(source, {
        next: (delivery) => {
          take(delivery);
          begin();
        },
        complete: () => {
          isComplete = true;
          begin();
        },
      });
    });
}

function stoppedBefore(): unknown {
  return stoppedError('the value was processed', 'it is redelivered');
}
