import {
  catchError,
  defer,
  EMPTY,
  finalize,
  mergeMap,
  type Observable,
  type ObservableInput,
  type OperatorFunction,
  tap,
} from 'rxjs';
import type { Delivery } from '../src/core/delivery.js';
import { describeError, RxflumeError, SinkError } from '../src/core/errors.js';
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
 *         transmit(write, { concurrency: 2 })    a takes 6, b 1, c 1
 * result  ----b-ca---|
 * acks    ----b-ca----
 * ```
 *
 * Settles: acks at completion of the write; nacks with a `SinkError` when it fails, and the stream lives. Nacks what is
 * under way, and what waits, when it is unsubscribed.
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
    defer(() => write(delivery.value, delivery)).pipe(
      tap({
        complete: () => delivery.ack(),
        // Nobody knows what was written of it.
        unsubscribe: () => delivery.nack(stopped('during the write')),
      }),
      catchError((cause: unknown) => {
        delivery.nack(sinkErrorOf(cause, delivery));
        return EMPTY;
      }),
    );
  return (source) =>
    defer(() => {
      const waiting = new Set<Delivery<T>>();
      return source.pipe(
        tap((delivery) => waiting.add(delivery)),
        mergeMap((delivery) => {
          waiting.delete(delivery);
          return writeOne(delivery);
        }, concurrency),
        finalize(() => {
          for (const delivery of waiting) delivery.nack(stopped('before the write began'));
        }),
      );
    });
}

function stopped(when: string): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `The flow stopped ${when}; the value comes again.`);
}

function sinkErrorOf(cause: unknown, { origin }: Delivery<unknown>): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  return new SinkError(
    'RXF_SINK_WRITE',
    `Cannot write ${origin.stream} offset ${origin.offset}: ${describeError(cause)}`,
    {
      cause,
      retryable: mayPass(cause),
    },
  );
}

const BUGS = ['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError'];

/** Whether the same write may succeed later: as the cause says by `retryable`, else yes unless it looks like a bug. */
function mayPass(cause: unknown): boolean {
  const { retryable, name } = (cause ?? {}) as { retryable?: unknown; name?: unknown };
  return typeof retryable === 'boolean' ? retryable : !BUGS.includes(String(name));
}
