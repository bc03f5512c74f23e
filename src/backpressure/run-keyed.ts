import { finalize, mergeMap, Observable, type OperatorFunction, Subject } from 'rxjs';
import { SinkError } from '../core/errors.js';
import type { Delivery } from '../delivery/delivery.js';
import { isEpochOver } from '../delivery/flush-listeners.js';
import { nackErrorOfThrown } from '../delivery/nack-errors.js';
import { subscribeOrdered } from '../lifecycle/subscribe-ordered.js';
import { type KeyedEntry, KeyedQueue } from './keyed-queue.js';

export interface RunKeyedOptions<T> {
  /** The most runs under way at once. */
  readonly concurrency: number;
  /** Those of one key run one after the other; none where it answers undefined or null. */
  readonly keyOf?: ((delivery: Delivery<T>) => unknown) | undefined;
}

/**
 * Runs something for each delivery when its turn comes, and emits what the runs emit, as they come. A run settles its
 * delivery, also when it is unsubscribed, and does not fail.
 *
 * Settles: nacks what waits when it is unsubscribed or the source fails, and what is void when its turn comes, since it
 * is redelivered; a delivery whose key cannot be told.
 * Bounds: `concurrency` runs; what waits behind them is what the source's window lets out.
 */
export function runKeyed<T, R>(
  { concurrency, keyOf }: RunKeyedOptions<T>,
  run: (delivery: Delivery<T>) => Observable<R>,
): OperatorFunction<Delivery<T>, R> {
  return (source) =>
    new Observable((subscriber) => {
      const turns = new KeyedQueue<Delivery<T>>(concurrency);
      const begun$ = new Subject<KeyedEntry<Delivery<T>>>();
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
            run(turn.one).pipe(
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
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          isComplete = true;
          begin();
        },
      });
    });
}

function stoppedBefore(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The flow stopped before the value had its turn; it is redelivered.');
}
