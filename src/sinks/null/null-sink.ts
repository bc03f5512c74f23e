import type { Observable } from 'rxjs';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectMs, expectOption, withDefaults } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nothingToProbe } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import { NullSinkSession } from './null-sink-session.js';

export interface NullSinkOptions {
  /** The longest between a value and its receipt, in milliseconds. Default 1,000. */
  readonly receiptIntervalMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `nullSink`. */
export const NULL_SINK_DEFAULTS = {
  receiptIntervalMs: 1_000,
  monitor: defaultMonitor,
} as const satisfies NullSinkOptions;

/** Nowhere; `write()` is the last operator of a flow. */
export interface NullSink {
  /**
   * The sink as an operator: takes anything, keeps nothing.
   *
   * ```
   * values    -(abc)--------(de)|
   *           nullSink({ receiptIntervalMs: 8 })
   * acks      -(abc)--------(de)
   * receipts  ---------r----(r|)
   * ```
   *
   * Settles: acks everything, in runs of sequence numbers, within the same turn of the program.
   * Bounds: the run that is not acked, of at most 1,024 values, as two numbers.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<unknown>;
}

/**
 * Drops every value and acks it: to measure what is before it, and for tests.
 *
 * ```ts
 * import { nullSink } from 'rxflume';
 * import { RecordingAcker } from 'rxflume/testing';
 * import { of } from 'rxjs';
 *
 * const acker = new RecordingAcker();
 * of(acker.deliver('a'), acker.deliver('b')).pipe(nullSink().write()).subscribe();
 * acker.acks; // → ['a', 'b']
 * ```
 */
export function nullSink(options: NullSinkOptions = {}): NullSink {
  const checked = withDefaults('nullSink options', NULL_SINK_DEFAULTS, options);
  expectMs('receiptIntervalMs', checked.receiptIntervalMs, 1);
  expectOption('monitor', checked.monitor, typeof checked.monitor?.metric === 'function', 'a Monitor');
  return {
    write: () =>
      Object.assign(
        (deliveries: Observable<Delivery<unknown>>) =>
          sinkLifecycle(deliveries, (lifecycle) => new NullSinkSession(checked, lifecycle)),
        { probe: nothingToProbe },
      ),
  };
}
