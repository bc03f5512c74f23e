import type { Observable } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nothingToProbe } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { TextOutput } from '../../ports/text-output.js';
import { ConsoleSinkSession } from './console-sink-session.js';
import { type ConsoleSinkOptions, checkOptions } from './options.js';

/** A terminal, or what the program's output is piped to; `write()` is the last operator of a flow. */
export interface ConsoleSink<in T> {
  /**
   * The sink as an operator: writes a line a value, emits a receipt for each write.
   *
   * ```
   * values    -a-b-c-----|
   * written   -a----(bc)-----     a write takes 5
   * acks      ------a----(bc)
   * receipts  ------r----(r|)
   * ```
   *
   * Settles: acks a value when the system has taken its line; nacks what `encode` throws for, and all that it holds when
   * a write fails.
   * Bounds: one write under way, of at most 64 KiB or one value; the source's window bounds what waits, for as long as the
   * reader makes it wait.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<T>;
}

/**
 * Writes values as lines for people to read: to see what a flow does, before it goes anywhere.
 *
 * ```ts
 * import { consoleSink } from 'rxflume';
 * import { stdio } from 'rxflume/drivers/stdio';
 *
 * export const shown = consoleSink<string>(stdio(), { encode: (value) => value.toUpperCase() }).write();
 * ```
 */
export function consoleSink<T = unknown>(output: TextOutput, options: ConsoleSinkOptions<T> = {}): ConsoleSink<T> {
  expectFunction('output.write', output?.write);
  const checked = checkOptions(options);
  return {
    write: () =>
      Object.assign(
        (deliveries: Observable<Delivery<T>>) =>
          sinkLifecycle(deliveries, (lifecycle) => new ConsoleSinkSession(output, checked, lifecycle)),
        { probe: nothingToProbe },
      ),
  };
}
