import {
  catchError,
  defer,
  EMPTY,
  from,
  mergeMap,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  tap,
} from 'rxjs';
import type { Delivery } from '../src/core/delivery.js';
import { describeError, isRetryable, RxflumeError, SinkError } from '../src/core/errors.js';
import { expectFunction, expectKnown, expectWhole } from '../src/core/options.js';

export interface TransmitOptions {
  /** The most writes under way at once. Default 4. */
  readonly concurrency?: number;
}

/**
 * Writes each delivery with `write` and emits what it answers; acks the delivery when its write completes. Writes run in
 * parallel, up to `concurrency`, so answers and acks come as they complete, in any order.
 *
 * ```
 * values  -a-b-c-----|
 *         transmit(write, { concurrency: 2 })    a takes 5, b 1, c 1
 * result  ----b-ca---|
 * acks    ----b-ca----
 * ```
 *
 * Settles: acks at completion of the write; nacks with a `SinkError` when it fails, and the stream lives.
 * Bounds: `concurrency` writes; what waits behind them is what the source's window lets out.
 */
export function transmit<T, R>(
  write: (value: T, delivery: Delivery<T>) => ObservableInput<R>,
  options: TransmitOptions = {},
): OperatorFunction<Delivery<T>, R> {
  expectFunction('write', write);
  expectKnown('transmit options', options, ['concurrency']);
  const { concurrency = 4 } = options;
  expectWhole('concurrency', concurrency, 1);

  const writeOne = (delivery: Delivery<T>): Observable<R> =>
    defer(() => from(write(delivery.value, delivery))).pipe(
      tap({ complete: () => delivery.ack() }),
      catchError((cause: unknown) => {
        delivery.nack(sinkErrorOf(cause, delivery));
        return EMPTY;
      }),
      nackUnlessDone(delivery),
    );
  return mergeMap(writeOne, concurrency);
}

/** Unsubscribing a write that is under way nacks its delivery: nobody knows what was written of it. */
function nackUnlessDone<R>(delivery: Delivery<unknown>): (source: Observable<R>) => Observable<R> {
  return (source) =>
    new Observable((subscriber) => {
      const writing = source.subscribe(subscriber);
      return () => {
        writing.unsubscribe();
        delivery.nack(new SinkError('RXF_SINK_STOPPED', 'The flow stopped during the write; the value comes again.'));
      };
    });
}

function sinkErrorOf(cause: unknown, { origin }: Delivery<unknown>): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  return new SinkError(
    'RXF_SINK_WRITE',
    `Cannot write ${origin.stream} offset ${origin.offset}: ${describeError(cause)}`,
    {
      cause,
      retryable: cause instanceof Error && 'retryable' in cause ? Boolean(cause.retryable) : isRetryable(cause),
    },
  );
}
