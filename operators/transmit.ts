import { catchError, concatAll, defer, EMPTY, type Observable, type ObservableInput, tap, toArray } from 'rxjs';
import { runKeyed } from '../src/backpressure/run-keyed.js';
import { SinkError } from '../src/core/errors.js';
import { expectFunction, expectMs, expectOneOf, expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type EndOperator } from '../src/delivery/delivery-operator.js';
import { lateNackError, nackErrorOf } from '../src/delivery/nack-errors.js';
import { within } from '../src/lifecycle/within.js';

export interface TransmitOptions<T = unknown> {
  /** The most writes under way at once. Default 4. */
  readonly concurrency?: number;
  /** `key`: writes of one key run one after the other, in order of arrival, beside those of others. Default `none`. */
  readonly order?: 'none' | 'key';
  /** The key of a delivery for `order: 'key'`; undefined or null for no order. Default: the origin's key, as text. */
  readonly key?: (delivery: Delivery<T>) => unknown;
  /** The longest one write may take, its retries included, in milliseconds. Default: no limit. */
  readonly timeLimitMs?: number;
}

export const TRANSMIT_DEFAULTS = { concurrency: 4, order: 'none', timeLimitMs: Number.POSITIVE_INFINITY } as const;

/**
 * Writes each delivery with `write`; acks it when its write completes, then emits what that answered. Writes run in
 * parallel, up to `concurrency`, so answers and acks come as they complete, in any order.
 *
 * ```
 * values  -a-b-c-----|
 *         transmit(write, { concurrency: 2 })    a takes 6, b 1, c 1
 * result  ----b-ca---|
 * acks    ----b-ca----
 * ```
 *
 * Settles: acks at completion of the write; nacks with a `SinkError` when it fails or takes too long, and the stream
 * lives. Nacks what is under way, and what waits, when it is unsubscribed. What is void when its turn comes, since its
 * stream is read anew, is not written: so with `order: 'key'` nothing overtakes what was refused and is redelivered.
 * Bounds: `concurrency` writes, and their answers until they complete; what waits behind them is what the source's window lets out.
 */
export function transmit<T, R>(
  write: (value: T, delivery: Delivery<T>) => ObservableInput<R>,
  options: TransmitOptions<T> = {},
): EndOperator<T, R> {
  expectFunction('write', write);
  const checked = withDefaults('transmit options', TRANSMIT_DEFAULTS, options, ['key']);
  const { concurrency, order, key = originKey, timeLimitMs } = checked;
  expectWhole('concurrency', concurrency, 1);
  expectOneOf('order', order, ['none', 'key']);
  expectFunction('key', key);
  if (options.key !== undefined) expectOption('key', key, order === 'key', "left out without `order: 'key'`");
  if (timeLimitMs !== TRANSMIT_DEFAULTS.timeLimitMs) expectMs('timeLimitMs', timeLimitMs, 1);

  const writeOne = (delivery: Delivery<T>): Observable<R> =>
    defer(() => write(delivery.value, delivery)).pipe(
      within(timeLimitMs, () => lateNackError('write', timeLimitMs, delivery)),
      // A receipt says that what it is of is acked, so the answers wait for that.
      toArray(),
      tap({
        next: () => delivery.ack(),
        // Nobody knows what was written of it.
        unsubscribe: () => delivery.nack(stopped()),
      }),
      concatAll(),
      catchError((cause: unknown) => {
        delivery.nack(nackErrorOf(cause, { code: 'RXF_SINK_WRITE', what: 'write' }, delivery));
        return EMPTY;
      }),
    );
  return deliveryOperator(
    'transmit',
    'kept',
    runKeyed({ concurrency, keyOf: order === 'key' ? key : undefined }, writeOne),
  );
}

function originKey({ origin: { key } }: Delivery<unknown>): string | undefined {
  return key === null || key === undefined ? undefined : Buffer.from(key).toString('latin1');
}

function stopped(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The flow stopped during the write; the value is redelivered.');
}
