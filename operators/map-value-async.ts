import { defer, Observable, type ObservableInput, take, throwIfEmpty } from 'rxjs';
import { runKeyed } from '../src/backpressure/run-keyed.js';
import { SinkError } from '../src/core/errors.js';
import { expectFunction, expectMs, expectOneOf, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { isEpochOver } from '../src/delivery/flush-listeners.js';
import { lateNackError, nackErrorOf } from '../src/delivery/nack-errors.js';
import { within } from '../src/lifecycle/within.js';

export interface MapValueAsyncOptions {
  /** The most calls under way at once, those that wait for an earlier one to be emitted included. Default 4. */
  readonly concurrency?: number;
  /** `source`: emits in the order of arrival. `none`: as the answers come. Default `source`. */
  readonly order?: 'source' | 'none';
  /** The longest one call may take, in milliseconds. Default 30,000. */
  readonly timeLimitMs?: number;
}

export const MAP_VALUE_ASYNC_DEFAULTS = {
  concurrency: 4,
  order: 'source',
  timeLimitMs: 30_000,
} as const satisfies MapValueAsyncOptions;

/**
 * Changes each delivery's value by asking: `project` answers with a promise or an Observable, whose first value it is. The
 * acker goes with the new value.
 *
 * ```
 * values  -a-b-c------|
 *         mapValueAsync(ask, { concurrency: 2 })     a takes 4, b 1, c 5
 * result  -----(AB)-C-|
 * acks    ------(ab)-c-
 * ```
 *
 * Settles: nacks a delivery whose call fails, answers nothing or takes too long, and the stream lives. Nacks what is under
 * way, and what waits, when it is unsubscribed.
 * Bounds: `concurrency` calls, each for at most `timeLimitMs`; what waits behind them is what the source's window lets out.
 * Fails: refuses with `RXF_OPERATOR_TIMEOUT`, or with `RXF_OPERATOR_FAILED`, which is retryable unless the cause says
 * otherwise by its own `retryable` or is a bug such as a `TypeError`.
 */
export function mapValueAsync<T, U>(
  project: (value: T, delivery: Delivery<T>) => ObservableInput<U>,
  options: MapValueAsyncOptions = {},
): DeliveryOperator<T, U> {
  expectFunction('project', project);
  const { concurrency, order, timeLimitMs } = withDefaults('mapValueAsync options', MAP_VALUE_ASYNC_DEFAULTS, options);
  expectWhole('concurrency', concurrency, 1);
  expectOneOf('order', order, ['source', 'none']);
  expectMs('timeLimitMs', timeLimitMs, 1);

  const ask = (delivery: Delivery<T>): Observable<U> =>
    defer(() => project(delivery.value, delivery)).pipe(
      take(1),
      throwIfEmpty(() => emptyError(delivery)),
      within(timeLimitMs, () => lateNackError('ask for', timeLimitMs, delivery)),
    );
  return deliveryOperator('mapValueAsync', 'kept', (source) =>
    defer(() => {
      const line = order === 'source' ? new Line() : undefined;
      const run = (delivery: Delivery<T>) =>
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
                  // Its stream may have been read again while it was asked for.
                  if (isEpochOver(delivery.acker.flush$)) delivery.nack(stopped());
                  else out.next(delivery.with(value));
                  out.complete();
                }),
              error: (cause: unknown) => {
                isOurs = false;
                delivery.nack(nackErrorOf(cause, { code: 'RXF_OPERATOR_FAILED', what: 'ask for' }, delivery));
                inTurn(() => out.complete());
              },
            }),
          );
        });
      return source.pipe(runKeyed({ concurrency }, run));
    }),
  );
}

/** Lets what is done in any order go on in the order of joining. */
class Line {
  readonly #seqs: { go?: () => void }[] = [];
  #isGoing = false;

  /** Joins at the end; what is answered is called when it is done, with what to do when its turn comes. */
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
    `Asked for ${origin.stream} offset ${origin.offset}, and nothing was answered. Let \`project\` answer one value; to drop ` +
      'values use filterValue.',
    { retryable: false },
  );
}

function stopped(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The flow stopped while the value was asked for; it is redelivered.');
}
