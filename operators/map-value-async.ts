import { defer, Observable, type ObservableInput, take, throwIfEmpty } from 'rxjs';
import { runKeyed } from '../src/backpressure/run-keyed.js';
import { SinkError } from '../src/core/errors.js';
import { expectFunction, expectMs, expectOneOf, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { isEpochOver } from '../src/delivery/flush-listeners.js';
import { lateNackError, nackErrorOf } from '../src/delivery/nack-errors.js';
import { within } from '../src/lifecycle/time-limit.js';

export interface MapValueAsyncOptions {
  /** The maximum number of concurrent calls, including those that wait for an earlier one to be emitted. Default 4. */
  readonly maxInFlight?: number;
  /** `source`: emits in the order of arrival. `none`: as the results arrive. Default `source`. */
  readonly order?: 'source' | 'none';
  /** The time limit of one call, in milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
}

/** The defaults of `mapValueAsync`. */
export const MAP_VALUE_ASYNC_DEFAULTS = {
  maxInFlight: 4,
  order: 'source',
  requestTimeoutMs: 30_000,
} as const satisfies MapValueAsyncOptions;

/**
 * Maps each delivery's value asynchronously: `project` returns a promise or an Observable, whose first value becomes the new
 * value. The acker stays with the delivery.
 *
 * ```
 * values  -a-b-c------|
 *         mapValueAsync(ask, { maxInFlight: 2 })     a takes 4, b 1, c 5
 * result  -----(AB)-C-|
 * acks    ------(ab)-c-
 * ```
 *
 * Settles: nacks a delivery whose call fails, returns nothing or takes too long; the stream continues. Nacks deliveries in
 * progress or waiting when it is unsubscribed.
 * Bounds: `maxInFlight` calls, each for at most `requestTimeoutMs`; the source's window bounds waiting deliveries.
 * Fails: nacks with `RXF_OPERATOR_TIMEOUT`, or with `RXF_OPERATOR_FAILED`, which is retryable unless the cause has `retryable:
 * false` or is a bug such as a `TypeError`.
 */
export function mapValueAsync<T, U>(
  project: (value: T, delivery: Delivery<T>) => ObservableInput<U>,
  options: MapValueAsyncOptions = {},
): DeliveryOperator<T, U> {
  expectFunction('project', project);
  const { maxInFlight, order, requestTimeoutMs } = withDefaults(
    'mapValueAsync options',
    MAP_VALUE_ASYNC_DEFAULTS,
    options,
  );
  expectWhole('maxInFlight', maxInFlight, 1);
  expectOneOf('order', order, ['source', 'none']);
  expectMs('requestTimeoutMs', requestTimeoutMs, 1);

  const ask = (delivery: Delivery<T>): Observable<U> =>
    defer(() => project(delivery.value, delivery)).pipe(
      take(1),
      throwIfEmpty(() => emptyError(delivery)),
      within(requestTimeoutMs, () => lateNackError('ask for', requestTimeoutMs, delivery)),
    );
  return deliveryOperator('mapValueAsync', 'kept', (source) =>
    defer(() => {
      const line = order === 'source' ? new Line() : undefined;
      const run = (delivery: Delivery<T>, nacked: { value: number }) =>
        new Observable<Delivery<U>>((out) => {
          let isOurs = true;
          const inTurn = line?.join() ?? ((go: () => void) => go());
          out.add(() => {
            if (isOurs) delivery.nack(stopped());
          });
          out.add(
            ask(delivery).subscribe({
              next: (value) =>
                inTurn(() => {
                  if (out.closed) return;
                  isOurs = false;
                  // Its stream may have been rewound during the call.
                  if (isEpochOver(delivery.acker.flush$)) delivery.nack(stopped());
                  else out.next(delivery.with(value));
                  out.complete();
                }),
              error: (cause: unknown) => {
                isOurs = false;
                nacked.value += 1;
                delivery.nack(nackErrorOf(cause, { code: 'RXF_OPERATOR_FAILED', what: 'ask for' }, delivery));
                inTurn(() => out.complete());
              },
            }),
          );
        });
      return source.pipe(runKeyed({ maxInFlight }, run));
    }),
  );
}

/** Restores the order of arrival for work that completes in any order. */
class Line {
  readonly #seqs: { go?: () => void }[] = [];
  #isGoing = false;

  /** Appends an entry; call the returned function when its work is done, with what to do when its turn comes. */
  join(): (go: () => void) => void {
    const seq: { go?: () => void } = {};
    this.#seqs.push(seq);
    return (go) => {
      seq.go = go;
      this.#goOn();
    };
  }

  #goOn(): void {
    if (this.#isGoing) return;
    this.#isGoing = true;
    for (let go = this.#seqs[0]?.go; go !== undefined; go = this.#seqs[0]?.go) {
      this.#seqs.shift();
      go();
    }
    this.#isGoing = false;
  }
}

function emptyError({ origin }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_OPERATOR_FAILED',
    `\`project\` returned no value for ${origin.stream} offset ${origin.offset}. Let \`project\` return one value; to drop ` +
      'values use filterValue.',
    { retryable: false },
  );
}

function stopped(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The flow stopped during the call for the value; it is redelivered.');
}
