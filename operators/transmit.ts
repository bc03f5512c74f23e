import { catchError, concatAll, defer, EMPTY, type Observable, type ObservableInput, tap, toArray } from 'rxjs';
import { runKeyed } from '../src/backpressure/run-keyed.js';
import { expectFunction, expectMs, expectOneOf, expectOption, expectWhole, withDefaults } from '../src/core/options.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { deliveryOperator, type EndOperator } from '../src/delivery/delivery-operator.js';
import { lateNackError, nackErrorOf, stoppedError } from '../src/delivery/nack-errors.js';
import { within } from '../src/lifecycle/time-limit.js';

export interface TransmitOptions<T = unknown> {
  /** The maximum number of concurrent writes. Default 4. */
  readonly maxInFlight?: number;
  /** `key`: writes of one key run sequentially, in order of arrival; different keys run concurrently. Default `none`. */
  readonly order?: 'none' | 'key';
  /** The key of a value for `order: 'key'`; undefined or null for no order. Default: the origin's key, as text. */
  readonly key?: (value: T, delivery: Delivery<T>) => unknown;
  /** The time limit of one write, including its retries, in milliseconds. Default: no limit. */
  readonly sendTimeoutMs?: number;
}

/** The defaults of `transmit`. */
export const TRANSMIT_DEFAULTS = { maxInFlight: 4, order: 'none', sendTimeoutMs: Number.POSITIVE_INFINITY } as const;

/**
 * Writes each delivery with `write`; acks it when its write completes, then emits what the write emitted. Up to `maxInFlight`
 * writes run in parallel, so results and acks arrive in order of completion.
 *
 * ```
 * values  -a-b-c-----|
 *         transmit(write, { maxInFlight: 2 })    a takes 6, b 1, c 1
 * result  ----b-ca---|
 * acks    ----b-ca----
 * ```
 *
 * Settles: acks at completion of the write; nacks with a `SinkError` when it fails or takes too long; the stream continues.
 * Nacks writes in progress or waiting when it is unsubscribed. A delivery that has become stale because its stream was rewound
 * is not written: with `order: 'key'` nothing overtakes a nacked value that is redelivered.
 * Bounds: `maxInFlight` writes, and their results until they complete; the source's window bounds waiting deliveries.
 */
export function transmit<T, R>(
  write: (value: T, delivery: Delivery<T>) => ObservableInput<R>,
  options: TransmitOptions<T> = {},
): EndOperator<T, R> {
  expectFunction('write', write);
  const checked = withDefaults('transmit options', TRANSMIT_DEFAULTS, options, ['key']);
  const { maxInFlight, order, key = originKey, sendTimeoutMs } = checked;
  expectWhole('maxInFlight', maxInFlight, 1);
  expectOneOf('order', order, ['none', 'key']);
  expectFunction('key', key);
  if (options.key !== undefined) expectOption('key', key, order === 'key', "absent without `order: 'key'`");
  if (sendTimeoutMs !== TRANSMIT_DEFAULTS.sendTimeoutMs) expectMs('sendTimeoutMs', sendTimeoutMs, 1);

  const writeOne = (delivery: Delivery<T>, nacked: { value: number }): Observable<R> =>
    defer(() => write(delivery.value, delivery)).pipe(
      within(sendTimeoutMs, () => lateNackError('write', sendTimeoutMs, delivery)),
      // A receipt promises that its values are acked, so results wait for the ack.
      toArray(),
      tap({
        next: () => delivery.ack(),
        // It may or may not have been written.
        unsubscribe: () => delivery.nack(stoppedError('the write ended')),
      }),
      concatAll(),
      catchError((cause: unknown) => {
        nacked.value += 1;
        delivery.nack(nackErrorOf(cause, { code: 'RXF_SINK_WRITE', what: 'write' }, delivery));
        return EMPTY;
      }),
    );
  const keyOf = order === 'key' ? (delivery: Delivery<T>) => key(delivery.value, delivery) : undefined;
  return deliveryOperator('transmit', 'kept', runKeyed({ maxInFlight, keyOf }, writeOne));
}

function originKey(_: unknown, { origin: { key } }: Delivery<unknown>): string | undefined {
  return key === null || key === undefined ? undefined : Buffer.from(key).toString('latin1');
}
