import { gated } from '../src/backpressure/gate.js';
import { InFlightWindow } from '../src/backpressure/in-flight-window.js';
import { WindowAcker } from '../src/backpressure/window-acker.js';
import { expectKnown, expectWhole } from '../src/core/options.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { oncePerAcker } from '../src/delivery/forwarding-acker.js';

export interface InFlightWindowOptions {
  /** The maximum number of deliveries that are downstream and not released. Default: no limit. */
  readonly count?: number;
  /** The maximum number of bytes, as received, that are downstream and not released. Default: no limit. */
  readonly bytes?: number;
}

/**
 * Passes deliveries only while unreleased deliveries downstream stay within a window; the others wait here.
 *
 * ```
 * values    -abc-------|
 *           inFlightWindow({ count: 2 })
 * result    -ab-c------|
 * releases  ----a-b------
 * ```
 *
 * Settles: nacks waiting deliveries when it is unsubscribed, and when their epoch ends. Completes when none is waiting.
 * Bounds: waiting deliveries are unreleased, so the source's own window bounds them. A delivery larger than the whole window
 * passes alone.
 */
export function inFlightWindow<T>(options: InFlightWindowOptions): DeliveryOperator<T> {
  expectKnown('inFlightWindow options', options, ['count', 'bytes']);
  const { count = Number.MAX_SAFE_INTEGER, bytes = Number.MAX_SAFE_INTEGER } = options;
  expectWhole('count', count, 1);
  expectWhole('bytes', bytes, 1);

  return deliveryOperator(
    'inFlightWindow',
    'kept',
    gated<T>('window', (look) => {
      const window = new InFlightWindow({ count, bytes });
      const ackerOf = oncePerAcker(({ acker }) => new WindowAcker(acker, window, look));
      return {
        mayPass: () => !window.isFull,
        pass: (delivery) => ackerOf(delivery).take(delivery),
      };
    }),
  );
}
